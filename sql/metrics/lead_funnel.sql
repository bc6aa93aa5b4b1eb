-- Where leads go and where they stop: the stages that the leads of the last 90 days have reached.
--
-- Grain:       one row per region_id, source and stage; all four stages for each pair that has a lead.
-- Inputs:      metric.lead_life.
-- Parameters:  $as_of, $window_90d_start (Date).
-- Output:      region_id, source (null where unknown), stage (created, responded, qualified, converted),
--              stage_position (0 to 3), entered (leads that reached the stage), advanced (of those, that reached any
--              later stage), lost (of those, ended by lost or disqualified without any later stage),
--              conversion (advanced ÷ entered; null where nobody entered), median_days (days from the stage to the
--              next one reached; null where nobody advanced), company_conversion (that of the stage over all regions
--              and sources), worst_rank (1 to 3 for the three furthest below the company; else null).
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
),
compared AS (
    SELECT
        region_id,
        source,
        stage_position,
        entered,
        advanced,
        lost,
        CAST(advanced AS DOUBLE) / NULLIF(entered, 0) AS conversion,
        CAST(SUM(advanced) OVER (PARTITION BY stage_position) AS DOUBLE)
            / NULLIF(SUM(entered) OVER (PARTITION BY stage_position), 0) AS company_conversion,
        CAST(middle_us AS DOUBLE) / NULLIF(middles * 86400000000, 0) AS median_days
    FROM counted
),
leaking AS (
    SELECT
        region_id,
        source,
        stage_position,
        ROW_NUMBER() OVER (
            ORDER BY conversion - company_conversion, region_id ASC NULLS FIRST, source ASC NULLS FIRST, stage_position
        ) AS worst_rank
    FROM compared
    WHERE stage_position < 3 AND conversion < company_conversion
)
SELECT
    c.region_id,
    c.source,
    CASE c.stage_position
        WHEN 0 THEN 'created'
        WHEN 1 THEN 'responded'
        WHEN 2 THEN 'qualified'
        ELSE 'converted'
    END AS stage,
    c.stage_position,
    c.entered,
    c.advanced,
    c.lost,
    c.conversion,
    c.company_conversion,
    c.median_days,
    CASE WHEN w.worst_rank <= 3 THEN CAST(w.worst_rank AS BIGINT) END AS worst_rank
FROM compared AS c
LEFT JOIN leaking AS w
    ON (w.region_id IS NOT DISTINCT FROM c.region_id)
    AND (w.source IS NOT DISTINCT FROM c.source)
    AND w.stage_position = c.stage_position
ORDER BY c.region_id ASC NULLS FIRST, c.source ASC NULLS FIRST, c.stage_position
