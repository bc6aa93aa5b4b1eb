//! The built-in mappings, each over a small export with the headers that the CRM writes.

use std::fmt::Write as _;

use super::{Case, Mapping};

fn run(preset: &str, file: &str, text: &str) -> String {
    let case = Case::new(&[(file, text)]);
    let (lines, summary) = case.run(&Mapping::preset(preset).unwrap()).unwrap();
    assert_eq!(summary.rejected(), 0, "{summary}");
    lines
}

/// Each event as `type day-and-time rep amount`, in order.
fn events(lines: &str) -> Vec<String> {
    let text = |json: &serde_json::Value, name: &str| json[name].as_str().unwrap_or("-").to_owned();
    let event = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line.strip_prefix("behaviour ")?).unwrap();
        let id = [text(&json, "opportunity_id"), text(&json, "lead_id")].join(" ");
        let (kind, time) = (text(&json, "event_type"), text(&json, "event_time"));
        let (rep, amount) = (text(&json, "rep_id"), text(&json, "amount"));
        Some(format!("{id} {kind} {} {rep} {amount}", time.get(..16)?))
    };
    lines.lines().filter_map(event).collect()
}

#[test]
fn salesforce_opportunities() {
    let report = "\"Opportunity Owner\",\"Account Name\",\"Opportunity Name\",\"Stage\",\"Fiscal Period\",\"Amount\",\
                  \"Probability (%)\",\"Age\",\"Close Date\",\"Created Date\",\"Next Step\",\"Lead Source\",\"Type\",\
                  \"Opportunity ID\",\"Last Stage Change Date\"\n\
                  \"Ann Lee\",\"Acme, Inc.\",\"Acme 1\",\"Closed Won\",\"Q1-2024\",\"12,000.00\",\"100\",\"20\",\"3/14/2024\",\
                  \"2/1/2024\",\"\",\"Web\",\"New\",\"0061\",\"3/14/2024, 2:05 PM\"\n\
                  \"Bob Ray\",\"Beta\",\"Beta 1\",\"Id. Decision Makers\",\"Q2-2024\",\"500.5\",\"60\",\"9\",\"5/1/2024\",\
                  \"3/2/2024\",\"call\",\"\",\"\",\"0062\",\"3/9/2024, 9:15 AM\"\n\
                  \"Bob Ray\",\"Beta\",\"Beta 2\",\"Closed Lost\",\"Q2-2024\",\"\",\"0\",\"9\",\"4/1/2024\",\
                  \"3/2/2024\",\"\",\"\",\"\",\"0063\",\"\"\n\
                  \n\
                  \"Copyright (c) 2000-2024 salesforce.com, inc. All rights reserved.\"\n";
    let lines = run("salesforce-opportunities", "report1710.csv", report);
    let expected = [
        "0061 - opportunity.opened 2024-02-01T17:00 Ann Lee 12000.00",
        "0061 - opportunity.won 2024-03-15T06:59 Ann Lee 12000.00",
        "0061 - deal.signed 2024-03-15T06:59 Ann Lee 12000.00",
        "0062 - opportunity.opened 2024-03-02T17:00 Bob Ray 500.50",
        "0062 - opportunity.stage_changed 2024-03-09T17:15 Bob Ray 500.50",
        "0063 - opportunity.opened 2024-03-02T17:00 Bob Ray -",
        "0063 - opportunity.lost 2024-04-02T06:59 Bob Ray -",
    ];
    assert_eq!(events(&lines), expected);
    assert!(lines.contains(r#""stage":"evaluation""#), "{lines}");
    assert!(lines.contains(r#"crm.rep {"rep_id":"Ann Lee"}"#), "{lines}");
    let customer =
        r#"crm.customer {"customer_id":"Acme, Inc.","owner_rep_id":"Ann Lee","created_on":"2024-02-01"}"#;
    assert!(lines.contains(customer), "{lines}");
}

#[test]
fn salesforce_opportunities_from_data_loader() {
    let export = "\"ID\",\"NAME\",\"STAGENAME\",\"AMOUNT\",\"CLOSEDATE\",\"CREATEDDATE\",\"OWNERID\",\"ACCOUNTID\"\n\
                  \"0061\",\"Acme 1\",\"Closed Won\",\"12000.0\",\"2024-03-14\",\"2024-02-01T10:00:00.000Z\",\"005A\",\"001A\"\n";
    let expected = [
        "0061 - opportunity.opened 2024-02-01T10:00 005A 12000.00",
        "0061 - opportunity.won 2024-03-15T06:59 005A 12000.00",
        "0061 - deal.signed 2024-03-15T06:59 005A 12000.00",
    ];
    assert_eq!(events(&run("salesforce-opportunities", "Opportunity.csv", export)), expected);
}

#[test]
fn salesforce_leads() {
    let report = "\"Lead Owner\",\"First Name\",\"Last Name\",\"Title\",\"Company / Account\",\"Lead Source\",\"Lead Status\",\
                  \"Create Date\",\"Lead ID\",\"Converted Date\",\"Last Modified\"\n\
                  \"Ann Lee\",\"Jo\",\"Roe\",\"CFO\",\"Acme\",\"Web\",\"Closed - Converted\",\"2/1/2024\",\"00Q1\",\"2/9/2024\",\"2/9/2024\"\n\
                  \"Bob Ray\",\"Al\",\"Poe\",\"\",\"Beta\",\"\",\"Closed - Not Converted\",\"2/3/2024\",\"00Q2\",\"\",\"2/20/2024\"\n";
    let lines = run("salesforce-leads", "leads.csv", report);
    let expected = [
        "- 00Q1 lead.created 2024-02-01T17:00 - -",
        "- 00Q1 lead.assigned 2024-02-01T17:00 Ann Lee -",
        "- 00Q1 lead.converted 2024-02-10T07:59 Ann Lee -",
        "- 00Q2 lead.created 2024-02-03T17:00 - -",
        "- 00Q2 lead.assigned 2024-02-03T17:00 Bob Ray -",
        "- 00Q2 lead.disqualified 2024-02-21T07:59 Bob Ray -",
    ];
    assert_eq!(events(&lines), expected);
    assert!(lines.contains(r#""attributes":{"company":"Acme","source":"Web","title":"CFO"}"#), "{lines}");
    assert!(!lines.contains("Roe"), "{lines}");
}

#[test]
fn hubspot_deals() {
    let export = "Record ID,Deal Name,Deal Stage,Pipeline,Amount,Create Date,Close Date,Deal owner,Associated Company,\
                  Date entered current stage,Closed Lost Reason\n\
                  901,Acme,Closed Won,Sales Pipeline,1500.5,2024-01-10 09:30,2024-02-01 16:00,Ann Lee,Acme Inc,2024-02-01 16:00,\n\
                  902,Beta,Presentation Scheduled,Sales Pipeline,,2024-01-11 10:00,2024-03-31 23:59,Bob Ray,,2024-01-20 11:00,\n\
                  903,Gamma,Closed lost,Sales Pipeline,10,2024-01-12 10:00,2024-01-15 12:00,Bob Ray,,,price\n";
    let lines = run("hubspot-deals", "hubspot-crm-exports-all-deals-2024.csv", export);
    let expected = [
        "901 - opportunity.opened 2024-01-10T14:30 Ann Lee 1500.50",
        "901 - opportunity.won 2024-02-01T21:00 Ann Lee 1500.50",
        "901 - deal.signed 2024-02-01T21:00 Ann Lee 1500.50",
        "902 - opportunity.opened 2024-01-11T15:00 Bob Ray -",
        "902 - opportunity.stage_changed 2024-01-20T16:00 Bob Ray -",
        "903 - opportunity.opened 2024-01-12T15:00 Bob Ray 10.00",
        "903 - opportunity.lost 2024-01-15T17:00 Bob Ray -",
    ];
    assert_eq!(events(&lines), expected);
    assert!(lines.contains(r#""stage":"demo""#) && lines.contains(r#""loss_reason":"price""#), "{lines}");
}

#[test]
fn hubspot_contacts() {
    let export = "Record ID,First Name,Last Name,Email,Lifecycle Stage,Lead Status,Contact owner,Create Date,\
                  Became a Customer Date,Became a Sales Qualified Lead Date,Original Source\n\
                  51,Jo,Roe,jo@example.com,Customer,,Ann Lee,2024-01-10 09:30,2024-02-01 16:00,2024-01-15 12:00,Organic Search\n\
                  52,Al,Poe,al@example.com,Lead,,,2024-01-11 10:00,,,\n";
    let lines = run("hubspot-contacts", "all-contacts.csv", export);
    let expected = [
        "- 51 lead.created 2024-01-10T14:30 - -",
        "- 51 lead.assigned 2024-01-10T14:30 Ann Lee -",
        "- 51 lead.qualified 2024-01-15T17:00 Ann Lee -",
        "- 51 lead.converted 2024-02-01T21:00 Ann Lee -",
        "- 52 lead.created 2024-01-11T15:00 - -",
    ];
    assert_eq!(events(&lines), expected);
    assert!(!lines.contains("example.com"), "{lines}");
}

#[test]
fn a_preset_adapts_to_another_zone_and_locale() {
    let mut mapping = Mapping::preset("salesforce-leads").unwrap();
    mapping.set_timezone("Europe/Berlin").unwrap();
    mapping.set_formats("stamp", &["%d.%m.%Y"]).unwrap();
    let case = Case::new(&[("x.csv", "Lead ID,Create Date,Lead Owner\n1,31.12.2023,Ann\n")]);
    let mut lines = String::new();
    // A single input takes any file that is named by itself.
    crate::import::import(&mapping, &[case.folder.path().join("x.csv")], &mut |output| {
        if let crate::import::Output::Record { stream, json, .. } = output {
            writeln!(lines, "{stream} {json}")?;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(events(&lines).first().unwrap(), "- 1 lead.created 2023-12-31T08:00 - -");
    assert!(mapping.set_timezone("Mars/Olympus").is_err());
    assert!(mapping.set_formats("day", &["%Y"]).unwrap_err().to_string().contains("there are: stamp"));
    let error = Mapping::preset("salesforce-lead").unwrap_err().to_string();
    assert!(error.contains("did you mean `salesforce-leads`"), "{error}");
}
