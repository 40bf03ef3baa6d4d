//! QR codes.

use async_graphql::{Error, Result};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use tokio::sync::Semaphore;

/// QR codes that are drawn at once. One takes about a millisecond.
static DRAWN_AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A text as an SVG document, drawn off the threads that answer requests. Dark modules are black on white
/// whatever the page's colors are: apps do not read inverted ones.
pub(super) async fn qr_code(text: String) -> Result<String> {
    let _permit = DRAWN_AT_ONCE.acquire().await?;
    tokio::task::spawn_blocking(move || draw(&text)).await?
}

fn draw(text: &str) -> Result<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M);
    let code = code.map_err(|_| Error::new("The text is too long for a QR code."))?;
    Ok(code.render::<svg::Color>().min_dimensions(240, 240).build())
}
