//! What a wrong mapping or a wrong file is answered.

use super::{Case, one_value};

#[track_caller]
fn check(error: &str, expected: &[&str]) {
    for part in expected {
        assert!(error.contains(part), "{error}\nlacks: {part}");
    }
}

fn of(mapping: &str) -> String {
    Case::new(&[("deals.csv", "id,deal_stage,amount\n1,Won,5\n")]).error(mapping)
}

#[test]
fn wrong_mapping_files() {
    let good = one_value("\"{id}\"", "");
    let broken = |from: &str, to: &str| of(&good.replace(from, to));
    check(
        &broken("stream = \"behaviour\"", "streem = \"behaviour\""),
        &["test.toml, line 16", "streem", "stream"],
    );
    check(&broken("name = \"t\"", "name = 5"), &["test.toml, line 2", "expected a string"]);
    check(&broken("name = \"t\"", "name = \"a b\""), &["test.toml, line 2", "`a b`"]);
    check(&broken("Europe/Amsterdam", "Europe/Amsterdm"), &["line 3", "did you mean `Europe/Amsterdam`"]);
    check(&broken("%d.%m.%Y", "dd.mm.yyyy"), &["`dd.mm.yyyy` is no date format", "%Y-%m-%d"]);
    check(&broken("behaviour", "behavior"), &["there is no stream `behavior`", "did you mean `behaviour`"]);
    check(&broken("event_type =", "event_typ ="), &["no field `event_typ`", "did you mean `event_type`"]);
    check(&broken("event_type =", "#"), &["[[emit]] e", "required field `event_type`"]);
    check(&broken("key = [\"id\"]", ""), &["required field `event_id`", "`key`"]);
    check(&broken("table = \"deals\"", "table = \"deal\""), &["line 13", "`deal`", "did you mean `deals`"]);
    check(&broken("file = \"deals.csv\"", ""), &["either `file`, or `columns` and `rows`"]);
    check(&of("name = \"t\""), &["at least one [[emit]]"]);
    check(&of("name = "), &["test.toml, line 1"]);
    let twice = format!("{good}\n[[emit]]{}", good.split("[[emit]]").nth(1).unwrap());
    check(&of(&twice), &["two emits of this name"]);
}

#[test]
fn wrong_values() {
    let value = |value: &str| of(&one_value(value, ""));
    check(&value("{ colum = \"id\" }"), &["test.toml, line 23", "unknown field `colum`", "`column`"]);
    check(&value("5"), &["line 23", "a template such as"]);
    check(&value("{ default = \"x\" }"), &["line 23", "exactly one of column, first_of, text, cases"]);
    check(&value("\"{id\""), &["`{` is not closed"]);
    check(&value("{ column = \"id\", date = \"dy\" }"), &["`dy` is no date format", "[formats]"]);
    check(&value("{ column = \"id\", at = \"09:00\" }"), &["need a `time` or `date`"]);
    check(&value("{ column = \"id\", time = \"day\", at = \"9 am\" }"), &["`9 am` is no time of day"]);
    check(
        &value("{ column = \"id\", date = \"day\", shift = \"5 days\" }"),
        &["`5 days` is no shift", "+5d"],
    );
    check(&value("{ column = \"id\", time = \"day\", period = \"month\" }"), &["`period` goes with `date`"]);
    check(&value("{ column = \"id\", amount = \"up\" }"), &["line 23", "unknown variant `up`", "half_even"]);
    check(&value("{ column = \"id\", amount = \"exact\", number = true }"), &["at most one of"]);
    check(&value("{ column = \"id\", thousands = \",\" }"), &["need `amount` or `number`"]);
    check(&value("{ column = \"id\", map = \"stages\" }"), &["no [maps.stages]", "did you mean `stage`"]);
}

#[test]
fn missing_columns_name_the_file_and_the_closest() {
    let value = |value: &str, rules: &str| of(&one_value(value, rules));
    let expected = [
        "line 23",
        "no column `deal_stge`",
        "did you mean `deal_stage`",
        "DIR/deals.csv has: id, deal_stage",
    ];
    check(&value("\"{deal_stge}\"", ""), &expected);
    let condition = "[[skip]]\ntable = \"deals\"\nwhen = \"stage == 'Won'\"\nwhy = \"w\"\n";
    check(
        &value("\"{id}\"", condition),
        &["test.toml, line 11", "no column `stage`", "did you mean `deal_stage`"],
    );
    let syntax = condition.replace("==", "=");
    check(&value("\"{id}\"", &syntax), &["line 11", "stage = 'Won'", "equality is written `==`"]);
    let renamed = one_value("\"{stage}\"", "").replace(
        "file = \"deals.csv\"",
        "file = \"deals.csv\"\nrename = { stage = [\"Deal Stage Name\", \"Phase\"] }",
    );
    check(&of(&renamed), &["`Deal Stage Name` or `Phase`", "did you mean `deal_stage`", "`optional`"]);
    let two = Case::new(&[("deals.csv", "id,x\n1,2\n"), ("deals2.csv", "id\n1\n")]);
    let error = two.error(&one_value("\"{x}\"", "").replace("deals.csv", "deals*.csv"));
    check(&error, &["the column `x`", "is not in DIR/deals2.csv"]);
}

#[test]
fn wrong_lookups_groups_and_cycles() {
    let rules = |rules: &str| of(&one_value("\"{id}\"", rules));
    let lookup =
        "[[lookup]]\ntable = \"deals\"\nfrom = \"deals\"\non = { id = \"id\" }\ntake = { y = \"amount\" }\n";
    check(&rules(&format!("{lookup}pick = \"last_before\"")), &["line 9", "need `at` and `order_by`"]);
    check(&rules(&format!("{lookup}default = {{ z = \"1\" }}")), &["the default `z`"]);
    check(&rules(&lookup.replace("{ id = \"id\" }", "{}")), &["`on` and `take` need a column"]);
    check(&rules(&format!("{lookup}{lookup}")), &["two computed columns `y`"]);
    check(&rules(&format!("{lookup}pick = \"any\"")), &["unknown variant `any`", "last_before"]);
    let group = "[[group]]\nname = \"g\"\nfrom = \"deals\"\nby = [\"id\"]\n";
    check(&rules(&format!("{group}take = {{ n = {{ count = false }} }}")), &["[[group]] g", "count = true"]);
    check(&rules(&format!("{group}take = {{ id = {{ sum = \"amount\" }} }}")), &["two columns `id`"]);
    check(
        &rules(&format!("{group}take = {{ n = {{ mean = \"amount\" }} }}")),
        &["unknown variant `mean`", "sum"],
    );
    check(&rules(&group.replace("\"g\"", "\"deals\"")), &["two tables `deals`"]);
    let cycle = "[[column]]\ntable = \"deals\"\nname = \"a\"\nvalue = \"{b}\"\n\
                 [[column]]\ntable = \"deals\"\nname = \"b\"\nvalue = \"{a}\"\n";
    check(&rules(cycle), &["depends on itself"]);
    let through = "[[group]]\nname = \"g\"\nfrom = \"deals\"\nby = [\"y\"]\n\
                   [[lookup]]\ntable = \"deals\"\nfrom = \"g\"\non = { id = \"y\" }\ntake = { y = \"y\" }\n";
    check(&rules(through), &["depends on itself"]);
}

#[test]
fn wrong_files() {
    let mapping = one_value("\"{id}\"", "");
    let error = |files: &[(&str, &str)]| Case::new(files).error(&mapping);
    check(&error(&[("other.csv", "x\n")]), &["no file is called deals.csv", "given: other.csv"]);
    check(&error(&[]), &["given: no file at all"]);
    check(&error(&[("deals.csv", "")]), &["DIR/deals.csv: the file is empty"]);
    check(&error(&[("deals.csv", "id,id\n1,2\n")]), &["the column `id` appears twice"]);
    let keyed = mapping.replace("file = \"deals.csv\"", "file = \"deals.csv\"\nkey = [\"idd\"]");
    check(&Case::new(&[("deals.csv", "id\n1\n")]).error(&keyed), &["key `idd`", "did you mean `id`"]);

    let case = Case::new(&[]);
    std::fs::write(case.folder.path().join("deals.csv"), b"id\n1\ncaf\xe9\n").unwrap();
    check(&case.error(&mapping), &["DIR/deals.csv, line 3", "0xe9", "latin-1"]);
    std::fs::write(case.folder.path().join("deals.parquet"), b"no parquet").unwrap();
    check(
        &case.error(&mapping.replace("deals.csv", "deals.parquet")),
        &["deals.parquet: not a readable Parquet"],
    );

    let mapping = super::Mapping::parse("t", &mapping).unwrap();
    let gone = [std::path::PathBuf::from("/no/such/file.csv")];
    let error = crate::import::import(&mapping, &gone, &mut |_| Ok(())).unwrap_err();
    check(&format!("{error:#}"), &["/no/such/file.csv: no such file or folder"]);
}

#[test]
fn an_error_of_the_sink_ends_the_import() {
    let case = Case::new(&[("deals.csv", "id\n1\n2\n")]);
    let mapping = super::Mapping::parse("t", &one_value("\"{id}\"", "")).unwrap();
    let mut calls = 0;
    let error = crate::import::import(&mapping, &case.inputs(), &mut |_| {
        calls += 1;
        anyhow::bail!("the disk is full")
    });
    assert_eq!((error.unwrap_err().to_string().as_str(), calls), ("the disk is full", 1));
}
