//! Plots as inline SVG: bars, lines and points with their axes, and nothing that needs a script.

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;
/// Ticks of an axis, about.
const TICKS: f64 = 5.0;

/// A series of a plot: its name, its class of colour, a value for each label.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) class: &'static str,
    pub(crate) values: Vec<Option<f64>>,
}

/// Text that is safe between tags and in attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Groups of bars, a group per label, in percent; a dashed line at `wanted`.
pub(crate) fn bars(title: &str, labels: &[String], series: &[Series], wanted: Option<(f64, &str)>) -> String {
    let values = || series.iter().flat_map(|s| s.values.iter().flatten().copied()).chain(wanted.map(|w| w.0));
    let scale = Scale::of(values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    let mut svg = open(title);
    scale.axis(&mut svg);
    let step = (WIDTH - LEFT - RIGHT) / places(labels.len().max(1));
    let width = (0.8 * step / places(series.len().max(1))).min(36.0);
    for (group, label) in labels.iter().enumerate() {
        let middle = LEFT + step * (places(group) + 0.5);
        for (number, s) in series.iter().enumerate() {
            let Some(value) = s.values.get(group).copied().flatten() else { continue };
            let x = middle + width * (places(number) - 0.5 * places(series.len()));
            let (y, zero) = (scale.y(value), scale.y(0.0));
            let (top, height) = (y.min(zero), (y - zero).abs().max(0.5));
            let tip = escape(&format!("{label}, {}: {:.2} %", s.name, 100.0 * value));
            put(
                &mut svg,
                format_args!(
                    "<rect class=\"{}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{tip}</title></rect>",
                    s.class,
                    0.92 * width
                ),
            );
        }
    }
    names(&mut svg, labels, step);
    if let Some((value, name)) = wanted {
        let y = scale.y(value);
        put(
            &mut svg,
            format_args!(
                "<line class=\"wanted\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/><text class=\"note\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                WIDTH - RIGHT,
                y - 4.0,
                escape(name)
            ),
        );
    }
    close(svg, series)
}

/// Points of pairs with the line of equality, both axes logarithmic; pairs that aren't both over 0 are left out.
pub(crate) fn points(title: &str, x_name: &str, y_name: &str, pairs: &[(f64, f64)]) -> String {
    let logs: Vec<(f64, f64)> =
        pairs.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(|(x, y)| (x.log10(), y.log10())).collect();
    let all = || logs.iter().flat_map(|(x, y)| [*x, *y]);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    if !low.is_finite() || !high.is_finite() {
        return String::new();
    }
    let (low, high) = (low - 0.05, high + 0.05);
    let x_at = |v: f64| LEFT + (v - low) / (high - low) * (WIDTH - LEFT - RIGHT);
    let y_at = |v: f64| HEIGHT - BOTTOM - (v - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
    let mut svg = open(title);
    put(
        &mut svg,
        format_args!(
            "<line class=\"wanted\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            x_at(low),
            y_at(low),
            x_at(high),
            y_at(high)
        ),
    );
    for (x, y) in &logs {
        put(
            &mut svg,
            format_args!("<circle class=\"a\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.2\"/>", x_at(*x), y_at(*y)),
        );
    }
    put(
        &mut svg,
        format_args!(
            "<text class=\"note\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><text class=\"note\" x=\"{LEFT}\" y=\"11\">{}</text>",
            0.5 * (LEFT + WIDTH),
            HEIGHT - 8.0,
            escape(x_name),
            escape(y_name)
        ),
    );
    for end in [low.ceil(), high.floor()] {
        let label = format!("{:.0}", 10_f64.powf(end));
        if (low..=high).contains(&end) {
            put(
                &mut svg,
                format_args!(
                    "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text><text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                    x_at(end),
                    HEIGHT - BOTTOM + 14.0,
                    LEFT - 6.0,
                    y_at(end) + 3.0
                ),
            );
        }
    }
    svg.push_str("</svg></figure>\n");
    svg
}

/// The vertical axis of shares.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    fn of(low: f64, high: f64) -> Self {
        let range = (high - low).max(1e-6);
        let rough = range / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= rough).unwrap_or(power);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step }
    }

    fn y(&self, value: f64) -> f64 {
        TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)
    }

    fn axis(&self, svg: &mut String) {
        let mut value = self.low;
        while value <= self.high + 0.5 * self.step {
            let (y, class) = (self.y(value), if value.abs() < 1e-9 { "zero" } else { "grid" });
            let digits = usize::from(self.step < 0.01);
            put(
                svg,
                format_args!(
                    "<line class=\"{class}\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/><text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.digits$} %</text>",
                    WIDTH - RIGHT,
                    LEFT - 6.0,
                    y + 3.0,
                    100.0 * value
                ),
            );
            value += self.step;
        }
    }
}

/// Labels under the groups, as many as fit on one line or two.
fn names(svg: &mut String, labels: &[String], step: f64) {
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few labels")]
    let every = ((places(longest) * 6.0 + 8.0) / step).ceil().max(1.0) as usize;
    // Twice too wide: on two lines in turn.
    let (every, lines) = if every == 2 { (1, 2) } else { (every, 1) };
    for (group, label) in labels.iter().enumerate().step_by(every) {
        put(
            svg,
            format_args!(
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                LEFT + step * (places(group) + 0.5),
                HEIGHT - BOTTOM + 14.0 + 12.0 * places(group % lines),
                escape(label)
            ),
        );
    }
}

fn open(title: &str) -> String {
    format!(
        "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape(title),
        escape(title)
    )
}

/// Ends a plot, with a legend where there is more than one series.
fn close(mut svg: String, series: &[Series]) -> String {
    if series.len() > 1 {
        let mut x = LEFT;
        for s in series {
            let y = HEIGHT - 12.0;
            put(
                &mut svg,
                format_args!(
                    "<rect class=\"{}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"10\" height=\"10\"/><text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    s.class,
                    x + 14.0,
                    y + 9.0,
                    escape(&s.name)
                ),
            );
            x += 30.0 + 6.2 * places(s.name.chars().count());
        }
    }
    svg.push_str("</svg></figure>\n");
    svg
}

fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.push_str(&text.to_string());
}

fn places(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
