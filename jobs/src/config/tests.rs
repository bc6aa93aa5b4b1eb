//! What a file and the environment come to, and what a mistake in them is answered with.

use engine::settings::Period;

use super::*;

fn parse(text: &str, variables: &[(&str, &str)]) -> anyhow::Result<Config> {
    let variables: Vec<(String, String)> =
        variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Config::parse("t.toml", text, &variables)
}

fn check_refused(text: &str, variables: &[(&str, &str)], expected: &str) {
    let error = parse(text, variables).unwrap_err();
    assert_eq!(format!("{error:#}"), expected);
    assert!(error.downcast_ref::<EngineError>().is_some_and(EngineError::is_input));
}

#[test]
fn nothing_configured_is_the_default() {
    assert_eq!(parse("", &[]).unwrap(), Config::default());
    assert_eq!(parse("", &[]).unwrap().settings(), Settings::default());
}

#[test]
fn the_file_goes_over_the_defaults_and_the_environment_over_the_file() {
    let text = "lake = \"a\"\n[quota]\nfloor_share = 0.5\nperiod = \"quarter\"\n[factor.beta]\nworkload = -0.5\n\
                [process.discovery_depth]\nweight = 0.3\n";
    let variables = [
        ("TIDELINE_LAKE", "b"),
        ("TIDELINE_TIMEZONE", "UTC"),
        ("TIDELINE_QUOTA__FLOOR_SHARE", "0.25"),
        ("TIDELINE_QUOTA__HISTORY_MONTHS", "12"),
        ("TIDELINE_PROCESS__DISCOVERY_DEPTH__ANCHORS", "[0.0, 1.0, 2.0, 3.0]"),
        ("TIDELINE_PIPELINE__STUCK_DAYS_BY_STAGE__DEMO", "14"),
        ("TIDELINE_CATALOGUE", "events.toml"),
        ("TIDELINE_PORT_80_TCP", "a cluster's own"),
        ("TIDELINE_TEST_KAFKA", "localhost:9092"),
    ];
    let config = parse(text, &variables).unwrap();
    assert_eq!((config.lake.as_str(), config.timezone.as_str()), ("b", "UTC"));
    assert!(config.names_timezone);
    assert_eq!(config.quota.period, Period::Quarter);
    assert!((config.quota.floor_share - 0.25).abs() < f64::EPSILON);
    assert_eq!(config.quota.history_months, 12);
    assert!((config.factor.beta["workload"] + 0.5).abs() < f64::EPSILON);
    assert_eq!(config.factor.beta.len(), Settings::default().factor.beta.len());
    assert!((config.process.discovery_depth.weight - 0.3).abs() < f64::EPSILON);
    assert!((config.process.discovery_depth.anchors[3] - 3.0).abs() < f64::EPSILON);
    assert_eq!(config.pipeline.stuck_days_by_stage["demo"], 14);
    assert_eq!(config.catalogue, Some(PathBuf::from("events.toml")));
}

#[test]
fn a_misspelt_key_names_its_line_and_the_nearest_one() {
    check_refused(
        "\n[quota]\nperid = \"month\"\n",
        &[],
        "t.toml, line 3: there is no key quota.perid; did you mean quota.period?",
    );
    check_refused(
        "timezome = \"UTC\"",
        &[],
        "t.toml, line 1: there is no key timezome; did you mean timezone?",
    );
    check_refused(
        "[process.solution_match]\nweigth = 1.0",
        &[],
        "t.toml, line 2: there is no key process.solution_match.weigth; did you mean process.solution_match.weight?",
    );
    check_refused(
        "[log]\nqqqqqqqqqqqqq = 1",
        &[],
        "t.toml, line 2: there is no key log.qqqqqqqqqqqqq; the keys here are format",
    );
    check_refused("quota = 3", &[], "t.toml, line 1: quota is a section: write [quota]");
    check_refused(
        "",
        &[("TIDELINE_QUOTA__PEROD", "month")],
        "TIDELINE_QUOTA__PEROD: there is no key quota.perod; did you mean quota.period?",
    );
    check_refused("", &[("TIDELINE_LAKE__X", "1")], "TIDELINE_LAKE__X: lake has no keys of its own");
}

#[test]
fn a_wrong_value_says_what_would_be_right() {
    check_refused(
        "[quota]\nattain_probability = 1.0",
        &[],
        "t.toml: quota.attain_probability must be between 0 and 1, both excluded",
    );
    check_refused(
        "[health]\nred_below = 30",
        &[],
        "t.toml: health.amber_below must be at least health.red_below",
    );
    check_refused(
        "timezone = \"Mars/Olympus\"",
        &[],
        "t.toml: timezone: unknown time zone 'Mars/Olympus'; use an IANA name such as \"Asia/Shanghai\" or \"UTC\"",
    );
    let error = format!("{:#}", parse("[quota]\nperiod = \"week\"", &[]).unwrap_err());
    assert!(error.starts_with("t.toml") && error.contains("week") && error.contains("quarter"), "{error}");
    let error = format!("{:#}", parse("", &[("TIDELINE_QUOTA__PERIOD", "week")]).unwrap_err());
    assert!(error.starts_with("TIDELINE_QUOTA__PERIOD: ") && error.contains("quarter"), "{error}");
    let error = format!("{:#}", parse("[quota\n", &[]).unwrap_err());
    assert!(error.starts_with("t.toml, line 1: ") && !error.contains('\n'), "{error}");
}

#[test]
fn properties_of_the_broker_come_with_dots_or_sections_and_secrets_from_elsewhere() {
    let file = std::env::temp_dir().join(format!("tideline-secret-{}", std::process::id()));
    std::fs::write(&file, "hush\n").unwrap();
    let text = format!(
        "[kafka.properties]\nsecurity.protocol = \"SASL_SSL\"\n\"fetch.wait.max.ms\" = 50\n\
         [kafka.secrets]\n\"sasl.password\" = \"file:{}\"\n",
        file.display()
    );
    let config = parse(&text, &[("TIDELINE_KAFKA__PROPERTIES__SASL__MECHANISM", "SCRAM-SHA-512")]).unwrap();
    let properties = config.kafka.properties().unwrap();
    let pairs: Vec<(&str, &str)> =
        properties.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("fetch.wait.max.ms", "50"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.password", "hush"),
        ("security.protocol", "SASL_SSL"),
    ];
    assert_eq!(pairs, expected);
    assert!(!format!("{properties:?} {config:?}").contains("hush"));
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn what_is_expected_is_said_in_words() {
    for (line, expected) in [
        ("[serve]\nconnections_max = -1", "expected a whole number of 0 or more"),
        ("[quota]\nfloor_share = \"x\"", "expected a number"),
    ] {
        let error = format!("{:#}", parse(line, &[]).unwrap_err());
        assert!(error.starts_with("t.toml, line 2: ") && error.ends_with(expected), "{error}");
    }
}

#[test]
fn a_capacity_is_a_number_of_leads() {
    let right = "expected how many open leads a rep may have: a whole number of 0 or more, such as 30";
    for (value, what) in
        [("-1", "invalid value: integer `-1`"), ("1.5", "invalid type: floating point `1.5`")]
    {
        for line in [format!("capacity = {value}"), format!("capacity_by_role = {{ junior = {value} }}")] {
            let error = format!("{:#}", parse(&format!("[routing]\n{line}\n"), &[]).unwrap_err());
            assert!(error.starts_with("t.toml, line 2: ") && error.contains(right), "{error}");
            assert!(error.contains(what), "{error}");
        }
    }
}

#[test]
fn a_secret_that_stands_in_the_file_is_refused_and_not_shown() {
    for (text, expected) in [
        (
            "[kafka.properties]\nsasl.password = \"hush\"\n",
            "kafka.properties: sasl.password is a secret; say where it is instead, in [kafka.secrets]: \
             \"sasl.password\" = \"env:NAME\" or \"file:PATH\"",
        ),
        (
            "[kafka.secrets]\n\"sasl.password\" = \"hush\"\n",
            "kafka.secrets: sasl.password: write where it is, as \"env:NAME\" or \"file:PATH\"",
        ),
        (
            "[kafka.secrets]\n\"sasl.password\" = \"env:TIDELINE_NO_SUCH_VARIABLE\"\n",
            "kafka.secrets: sasl.password: the environment has no variable TIDELINE_NO_SUCH_VARIABLE of plain text",
        ),
    ] {
        assert_eq!(parse(text, &[]).unwrap().kafka.properties().unwrap_err().to_string(), expected);
    }
}

#[test]
fn topics_are_those_named_else_those_configured_else_one_a_stream() {
    use engine::contract::Stream;
    let config = parse("[kafka.topics]\nbehaviour = \"events\"\n\"crm.rep\" = \"reps\"\n", &[]).unwrap();
    let given = ["behaviour=a".to_owned(), "behaviour=b".to_owned()];
    let (topics, named) = config.kafka.topics(&given).unwrap();
    assert_eq!(topics, [(Stream::Behaviour, "a".to_owned()), (Stream::Behaviour, "b".to_owned())]);
    assert!(named);
    let (topics, _) = config.kafka.topics(&[]).unwrap();
    assert_eq!(topics, [(Stream::Behaviour, "events".to_owned()), (Stream::Rep, "reps".to_owned())]);
    let (topics, named) = Config::default().kafka.topics(&[]).unwrap();
    assert_eq!(topics[2], (Stream::Rep, "tideline.crm.rep".to_owned()));
    assert!(topics.len() == Stream::ALL.len() && !named);
    let twice = ["behaviour=a".to_owned(), "crm.rep=a".to_owned()];
    let error = config.kafka.topics(&twice).unwrap_err();
    assert_eq!(error.to_string(), "topic a is named twice, for behaviour and for crm.rep");
}
