//! What is measured, each part with its rows of the report.

pub mod growth;
pub mod guard;
pub mod logins;
mod mail_requests;
mod moved_logins;
pub mod process;
pub mod refresh;
pub mod refusals;

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
