-- Where leads go and where they stop: the stages that the leads of the last 90 days have reached.
--
-- Grain:       one row per region_id, source and stage; all four stages for each pair that has a lead.
-- Inputs:      metric.lead_life.
-- Parameters:  $as_of, $window_90d_start (Date).
-- Output:      region_id, source (null where unknown), stage (created, responded, qualified, converted),
--              stage_position (0 to 3), entered (leads that reached the stage), advanced (of those, that reached any
--              later stage), lost (of those, ended by lost or disqualified without any later stage),
--              conversion (advanced ÷ entered; null where nobody entered), median_days (days from the stage to the
--              next one reached; null where nobody advanced).
-- Time column: none; leads by the day of their creation.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- Stages may be skipped: a lead converted without being qualified counts in created, responded and converted.
WITH lead AS (
    SELECT
        lead_id, region_id, source, created_at, answered_at, qualified_at, converted_at,
        disqualified_at IS NOT NULL OR lost_at IS NOT NULL AS ended
    FROM metric.lead_life
    WHERE created_on BETWEEN $window_90d_start AND $as_of
),
passage AS (
    SELECT
        region_id, source, lead_id, 0 AS stage_position, ended,
        CAST(created_at AS BIGINT) AS entered_us,
        CAST(COALESCE(answered_at, qualified_at, converted_at) AS BIGINT) AS advanced_us
    FROM lead
    UNION ALL
    SELECT
        region_id, source, lead_id, 1 AS stage_position, ended,
        CAST(answered_at AS BIGINT) AS entered_us,
        CAST(COALESCE(qualified_at, converted_at) AS BIGINT) AS advanced_us
    FROM lead
    UNION ALL
    SELECT
        region_id, source, lead_id, 2 AS stage_position, ended,
        CAST(qualified_at AS BIGINT) AS entered_us,
        CAST(converted_at AS BIGINT) AS advanced_us
    FROM lead
    UNION ALL
    SELECT
        region_id, source, lead_id, 3 AS stage_position, ended,
        CAST(converted_at AS BIGINT) AS entered_us,
        CAST(NULL AS BIGINT) AS advanced_us
    FROM lead
),
ranked AS (
    SELECT
        region_id,
        source,
        stage_position,
        ended,
        entered_us IS NOT NULL AS entered,
        entered_us IS NOT NULL AND advanced_us IS NOT NULL AS advanced,
        advanced_us - entered_us AS duration_us,
        ROW_NUMBER() OVER (
            PARTITION BY region_id, source, stage_position
            ORDER BY advanced_us - entered_us ASC NULLS LAST, lead_id
        ) AS place,
        COUNT(advanced_us - entered_us) OVER (PARTITION BY region_id, source, stage_position) AS durations
    FROM passage
),
counted AS (
    SELECT
        region_id,
        source,
        stage_position,
        COUNT(*) FILTER (WHERE entered) AS entered,
        COUNT(*) FILTER (WHERE advanced) AS advanced,
        COUNT(*) FILTER (WHERE entered AND NOT advanced AND ended) AS lost,
        SUM(duration_us) FILTER (WHERE place = (durations + 1) / 2 OR place = (durations + 2) / 2) AS middle_us,
        COUNT(duration_us) FILTER (WHERE place = (durations + 1) / 2 OR place = (durations + 2) / 2) AS middles
    FROM ranked
    GROUP BY region_id, source, stage_position
)
SELECT
    region_id,
    source,
    CASE stage_position
        WHEN 0 THEN 'created'
        WHEN 1 THEN 'responded'
        WHEN 2 THEN 'qualified'
        ELSE 'converted'
    END AS stage,
    stage_position,
    entered,
    advanced,
    lost,
    CAST(advanced AS DOUBLE) / NULLIF(entered, 0) AS conversion,
    CAST(middle_us AS DOUBLE) / NULLIF(middles * 86400000000, 0) AS median_days
FROM counted
ORDER BY region_id ASC NULLS FIRST, source ASC NULLS FIRST, stage_position
