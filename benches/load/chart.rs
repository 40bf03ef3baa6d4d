//! Chart of growth: p99 of a page of a list by number of rows, both axes logarithmic.

use std::fmt::Write;

use crate::database::Kind;

/// The p99 of a page at a number of rows, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    pub list: &'static str,
    /// The thousandth page instead of the first.
    pub far: bool,
    pub kind: Kind,
    pub rows: u64,
    pub p99: f64,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 50.0;

const COLOURS: [&str; 8] =
    ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5"];

/// An SVG with the slower of the first and the thousandth page of each list.
pub fn draw(growth: &[Growth]) -> String {
    let sizes = || growth.iter().map(|growth| exponent(growth.rows));
    let (first, last) = (sizes().fold(f64::MAX, f64::min), sizes().fold(f64::MIN, f64::max));
    let span = (last - first).max(1.0);
    let x = |rows: u64| LEFT + (exponent(rows) - first) / span * (WIDTH - LEFT - RIGHT);
    // From a tenth of a millisecond to ten seconds.
    let y = |ms: f64| {
        let up = (ms.max(0.1).log10() + 1.0) / 5.0;
        HEIGHT - BOTTOM - up.min(1.0) * (HEIGHT - TOP - BOTTOM)
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"18\">p99 of a page of ten while the table grows, in ms</text>\n"
    );
    for ms in [0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0] {
        let (at, goal) = (y(ms), if (ms - 10.0).abs() < 0.1 { "#c00" } else { "#ddd" });
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"{goal}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{ms}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        );
    }
    let mut labelled = Vec::new();
    for rows in growth.iter().map(|growth| growth.rows) {
        if !labelled.contains(&rows) {
            labelled.push(rows);
            let at = x(rows);
            let _ = writeln!(
                svg,
                "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{rows}</text>",
                HEIGHT - BOTTOM + 18.0
            );
        }
    }
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\">rows; PostgreSQL dashed, the goal red</text>",
        HEIGHT - 12.0
    );
    lines(growth, &mut svg, &x, &y);
    svg.push_str("</svg>\n");
    svg
}

fn lines(growth: &[Growth], svg: &mut String, x: &impl Fn(u64) -> f64, y: &impl Fn(f64) -> f64) {
    let mut lists: Vec<&str> = Vec::new();
    for list in growth.iter().map(|growth| growth.list) {
        if !lists.contains(&list) {
            lists.push(list);
        }
    }
    for (at, list) in lists.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        for kind in Kind::ALL {
            let mut points: Vec<(u64, f64)> = Vec::new();
            for one in growth.iter().filter(|one| one.list == *list && one.kind == kind) {
                match points.iter_mut().find(|(rows, _)| *rows == one.rows) {
                    Some((_, p99)) => *p99 = p99.max(one.p99),
                    None => points.push((one.rows, one.p99)),
                }
            }
            let path: Vec<String> = points
                .iter()
                .map(|(rows, p99)| format!("{:.1},{:.1}", x(*rows), y(*p99)))
                .collect();
            let dashes = if kind == Kind::Sqlite { "none" } else { "5 4" };
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" \
                 stroke-dasharray=\"{dashes}\"/>",
                path.join(" ")
            );
        }
        let row = TOP + 16.0 * f64::from(u32::try_from(at).unwrap_or(0)) + 20.0;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{row:.1}\" fill=\"{colour}\">{list}</text>",
            WIDTH - RIGHT + 14.0
        );
    }
}

/// The logarithm of a number of rows.
fn exponent(rows: u64) -> f64 {
    f64::from(u32::try_from(rows).unwrap_or(u32::MAX)).log10()
}
