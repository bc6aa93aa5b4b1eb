-- What should somebody look at, by rule and severity?
SELECT a.as_of, a.rule, a.severity, a.scope, count(*) AS alerts, min(a.scope_id) AS one_of_them
FROM mart.alert AS a
GROUP BY a.as_of, a.rule, a.severity, a.scope
ORDER BY a.as_of, alerts DESC, a.rule, a.severity, a.scope;
