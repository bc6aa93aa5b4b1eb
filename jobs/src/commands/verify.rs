//! `tideline lake verify`: every file there and whole, and what the lake holds in agreement with itself.

use engine::lake::{Severity, verify};

use crate::context::Context;
use crate::output;

pub(crate) async fn run(context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    let progress = context.progress("verify");
    let findings = verify(&lake, &mut |table| progress.stage(table)).await?;
    drop(progress);
    for finding in &findings {
        let kind = match finding.severity {
            Severity::Error => "damaged",
            Severity::Warning => "warning",
        };
        output::print(&format!("{kind}  {}: {}", finding.table, finding.message))?;
    }
    let damaged = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if damaged > 0 {
        anyhow::bail!(
            "the lake is damaged in {damaged} places; restore the files named above, or take their input in again"
        );
    }
    output::print(if findings.is_empty() {
        "the lake is sound"
    } else {
        "the lake is sound; its input contradicts itself as said above"
    })
}
