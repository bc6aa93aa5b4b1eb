//! Numbers and terms as people read them.

/// A count with thousands apart: `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Minor units to the cent: `-1,234.50`.
pub(crate) fn money(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let size = minor.unsigned_abs();
    format!("{sign}{}.{:02}", count(size / 100), size % 100)
}

/// Reads an amount as people write it, `120000`, `120,000.5`, as minor units.
pub(crate) fn read_money(text: &str) -> Option<i64> {
    let text = text.trim().replace(',', "");
    let (whole, cents) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || cents.len() > 2 || !digits(whole) || !digits(cents) {
        return None;
    }
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(format!("{cents:0<2}").parse().ok()?)
}

/// Minor units as whole units: `1,235`.
pub(crate) fn whole_money(minor: i64) -> String {
    let sign = if minor <= -50 { "-" } else { "" };
    format!("{sign}{}", count((minor.unsigned_abs() + 50) / 100))
}

/// The same with its sign always shown.
pub(crate) fn signed(text: &str) -> String {
    if text.starts_with('-') { text.to_owned() } else { format!("+{text}") }
}

/// Bytes in the unit that suits.
pub(crate) fn bytes(n: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n;
    let mut rest = 0;
    let mut unit = 0;
    while value >= 1_024 && unit + 1 < units.len() {
        rest = value % 1_024 * 10 / 1_024;
        value /= 1_024;
        unit += 1;
    }
    if unit == 0 || value >= 100 {
        format!("{value} {}", units[unit])
    } else {
        format!("{value}.{rest} {}", units[unit])
    }
}

/// How long ago, from milliseconds.
pub(crate) fn age(ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..2_880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1_440),
    }
}

/// `part` as a share of `whole`; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "for display")]
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// `part` as a share of `whole` amounts; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "for display")]
pub(crate) fn share_of_money(part: i64, whole: i64) -> Option<f64> {
    (whole != 0).then(|| part as f64 / whole as f64)
}

/// A share as a percentage with one digit.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The plain name of a term, a factor or a component.
pub(crate) fn term(name: &str) -> String {
    let known = match name {
        "base" => "base capacity (what it sells at neutral factors)",
        "progress" => "signed so far and the pace of the period",
        "pipeline" => "what the open opportunities will bring, beside the usual",
        "ambition" => "the chance of reaching it that the company wants",
        "plan" => "bringing the region's quotas to its plan",
        "bound" => "floor, ceiling and daily cap",
        "season" => "season",
        "market_heat" => "market heat",
        "lifecycle_mix" => "life-cycle mix of the customers",
        "repurchase_interval" => "how soon customers buy again",
        "average_order_value" => "average order value",
        "mean_customer_health" => "health of the customers",
        "touch_density" => "share of customers served densely",
        "weighted_pipeline" => "open pipeline",
        "mean_lead_score" => "quality of the open leads",
        "lead_inflow" => "leads coming in",
        "tenure_ramp" => "time since hired",
        "attainment_bias" => "record of reaching past quotas",
        _ => {
            return match name.split_once(':') {
                Some(("rule", rule)) => format!("the rule {rule}"),
                Some(("adjustment", request)) => format!("the approved adjustment {request}"),
                _ => name.replace('_', " "),
            };
        }
    };
    known.to_owned()
}

/// Lines of columns: texts to the left, numbers to the right where `right` says so.
pub(crate) fn columns(right: &[bool], rows: &[Vec<String>]) -> String {
    let mut widths = vec![0; right.len()];
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(sql::width(cell));
        }
    }
    let line = |row: &Vec<String>| {
        let mut text = String::from(" ");
        for ((cell, &width), &right) in row.iter().zip(&widths).zip(right) {
            let padding = " ".repeat(width.saturating_sub(sql::width(cell)));
            text.push(' ');
            let parts = if right { [padding.as_str(), cell] } else { [cell.as_str(), &padding] };
            text.extend(parts);
            text.push(' ');
        }
        text.trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([money(-123_450), money(7), money(0)], ["-1,234.50", "0.07", "0.00"]);
        let amounts = ["120000", "120,000.5", "0.07", "1.234", "-5", "x", "", "1.x"].map(read_money);
        assert_eq!(amounts, [Some(12_000_000), Some(12_000_050), Some(7), None, None, None, None, None]);
        assert_eq!([whole_money(123_450), whole_money(-49), whole_money(-50)], ["1,235", "0", "-1"]);
        assert_eq!([signed("1"), signed("-1")], ["+1", "-1"]);
        assert_eq!(
            [bytes(0), bytes(1_536), bytes(200 << 20), bytes(u64::MAX)],
            ["0 B", "1.5 KiB", "200 MiB", "16777215 TiB"]
        );
        assert_eq!(
            [age(-5), age(120_000), age(7_200_000), age(86_400_000 * 3)],
            ["just now", "2 min ago", "2 h ago", "3 days ago"]
        );
    }

    #[test]
    fn columns_line_up_whatever_the_script() {
        let rows =
            vec![vec!["华东".to_owned(), "7".to_owned()], vec!["North".to_owned(), "1,200".to_owned()]];
        assert_eq!(columns(&[false, true], &rows), "  华东       7\n  North  1,200");
    }
}
