-- Working days: the calendar's word, Monday to Friday for a day it says nothing about.
--
-- Grain:       one row per date that the run knows (calendar.day).
-- Inputs:      calendar.day, crm.calendar.
-- Parameters:  $end_of_day (Timestamp).
-- Output:      date (day), is_working_day, season_tag.
-- Time column: date; crm.calendar by updated_at, the version in force at the end of the as-of day.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH ranked AS (
    SELECT
        date, is_working_day, season_tag,
        ROW_NUMBER() OVER (
            PARTITION BY date
            ORDER BY updated_at DESC NULLS LAST, is_working_day DESC NULLS LAST, season_tag DESC NULLS LAST
        ) AS place
    FROM crm.calendar
    WHERE updated_at IS NULL OR updated_at < $end_of_day
)
SELECT
    d.date,
    -- Day 0, 1 January 1970, was a Thursday; Monday is weekday 0.
    COALESCE(c.is_working_day, ((CAST(d.date AS INT) + 3) % 7 + 7) % 7 < 5) AS is_working_day,
    c.season_tag
FROM calendar.day AS d
LEFT JOIN ranked AS c ON c.date = d.date AND c.place = 1
