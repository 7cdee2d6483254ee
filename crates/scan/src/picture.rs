//! Pictures of codes: QR codes (ISO/IEC 18004) as SVG, PNG and lines of text.
//!
//! Error correction Q (a quarter of the code may be unreadable) and a quiet zone of 4 modules, so
//! that a printed code survives a door.

#[cfg(test)]
mod tests;

use qrcode::{Color, EcLevel, QrCode, render::svg};

use crate::codes::TEXT_MAX;

/// The empty border around the code, in modules.
const QUIET_ZONE: usize = 4;

/// The largest scale of a PNG, in pixels for one module; the picture is then at most 5,920 wide.
pub const PIXELS_PER_MODULE_MAX: u32 = 32;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Longer than [`TEXT_MAX`].
    #[error("drawing a code: the text is longer than {TEXT_MAX} characters")]
    TooLong,
    /// 1 to [`PIXELS_PER_MODULE_MAX`] pixels a module can be asked for.
    #[error("drawing a code: a module is 1 to {PIXELS_PER_MODULE_MAX} pixels wide")]
    Scale,
    /// The text does not fit into a QR code.
    #[error("drawing a code: it cannot be drawn as a QR code")]
    Qr(#[source] qrcode::types::QrError),
    /// The picture could not be written.
    #[error("drawing a code: it cannot be written as PNG")]
    Png(#[from] png::EncodingError),
}

/// Draws the text as an SVG document, black on white.
///
/// # Errors
/// [`PictureError`] if the text is too long.
pub fn svg(text: &str) -> Result<String, PictureError> {
    Ok(qr(text)?.render::<svg::Color<'_>>().build())
}

/// Draws the text as a PNG of one bit a pixel, `pixels_per_module` pixels for each module (1 to
/// [`PIXELS_PER_MODULE_MAX`]).
///
/// # Errors
/// [`PictureError`] if the text is too long or the scale out of bounds.
pub fn png(text: &str, pixels_per_module: u32) -> Result<Vec<u8>, PictureError> {
    if !(1..=PIXELS_PER_MODULE_MAX).contains(&pixels_per_module) {
        return Err(PictureError::Scale);
    }
    let rows = modules(&qr(text)?);
    let scale = usize::try_from(pixels_per_module).map_err(|_| PictureError::Scale)?;
    let side = u32::try_from(rows.len() * scale).map_err(|_| PictureError::Scale)?;
    let mut bits = Vec::new();
    for row in &rows {
        let pixels: Vec<bool> =
            row.iter().flat_map(|dark| std::iter::repeat_n(*dark, scale)).collect();
        let line: Vec<u8> = pixels.chunks(8).map(white_bits).collect();
        (0..scale).for_each(|_| bits.extend_from_slice(&line));
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bits)?;
    writer.finish()?;
    Ok(file)
}

/// Draws the text for a terminal with light letters on dark, two rows of modules to a line.
///
/// # Errors
/// [`PictureError`] if the text is too long.
pub fn lines(text: &str) -> Result<Vec<String>, PictureError> {
    let rows = modules(&qr(text)?);
    let light = vec![false; rows.len()];
    let lines = rows.chunks(2).map(|pair| {
        let (above, below) = (&pair[0], pair.get(1).unwrap_or(&light));
        let block = |(above, below): (&bool, &bool)| match (above, below) {
            (false, false) => '█',
            (false, true) => '▀',
            (true, false) => '▄',
            (true, true) => ' ',
        };
        above.iter().zip(below).map(block).collect()
    });
    Ok(lines.collect())
}

fn qr(text: &str) -> Result<QrCode, PictureError> {
    if text.len() > TEXT_MAX {
        return Err(PictureError::TooLong);
    }
    QrCode::with_error_correction_level(text, EcLevel::Q).map_err(PictureError::Qr)
}

/// Which modules are dark, row by row, with the quiet zone.
fn modules(code: &QrCode) -> Vec<Vec<bool>> {
    let side = code.width() + 2 * QUIET_ZONE;
    let mut rows = vec![vec![false; side]; side];
    for (y, line) in code.to_colors().chunks(code.width()).enumerate() {
        for (x, color) in line.iter().enumerate() {
            rows[y + QUIET_ZONE][x + QUIET_ZONE] = *color == Color::Dark;
        }
    }
    rows
}

/// Up to eight pixels, the leftmost in the highest bit; 1 is white.
fn white_bits(pixels: &[bool]) -> u8 {
    pixels.iter().enumerate().fold(0, |bits, (index, dark)| bits | (u8::from(!dark) << (7 - index)))
}
