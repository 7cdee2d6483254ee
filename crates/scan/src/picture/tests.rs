//! Pictures, read by a decoder that has nothing to do with how they are drawn.

use std::{io::Cursor, ops::Range};

use super::*;
use crate::codes::{
    Code,
    tests::{enterprise_code, one},
};

/// Dark or light, row by row.
type Bitmap = Vec<Vec<bool>>;

fn sealed() -> String {
    one().seal(&Code::Enterprise(enterprise_code())).unwrap()
}

fn decoded(bitmap: &Bitmap) -> Option<String> {
    let side = bitmap.len();
    let mut image = rqrr::PreparedImage::prepare_from_bitmap(side, side, |x, y| bitmap[y][x]);
    let grids = image.detect_grids();
    let (meta, text) = grids.first()?.decode().ok()?;
    // Two bits of the format: 3 stands for Q.
    assert_eq!((grids.len(), meta.ecc_level), (1, 3));
    Some(text)
}

fn png_read(file: &[u8]) -> Bitmap {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut gray = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut gray).unwrap();
    assert_eq!(frame.width, frame.height);
    let side = usize::try_from(frame.width).unwrap();
    gray.chunks(side).map(|row| row.iter().map(|pixel| *pixel == 0).collect()).collect()
}

/// Draws the rectangles `M{x} {y}h{width}v{height}…` of the document's only path.
fn svg_read(document: &str) -> Bitmap {
    let width = document.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap();
    let side: usize = width.parse().unwrap();
    let mut bitmap = vec![vec![false; side]; side];
    let path = document.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
    for rectangle in path.split('M').skip(1) {
        let numbers: Vec<usize> =
            rectangle.split([' ', 'h', 'v', 'H', 'V']).map(|n| n.parse().unwrap()).collect();
        let [x, y, width, height, ..] = numbers[..] else { panic!("{rectangle}") };
        for row in &mut bitmap[y..y + height] {
            row[x..x + width].fill(true);
        }
    }
    bitmap
}

#[test]
fn png_is_read_by_a_decoder_at_every_scale() {
    let text = sealed();
    // One pixel a module is for whoever enlarges it: a decoder wants to find edges.
    for scale in [2, 3, 8, PIXELS_PER_MODULE_MAX] {
        let bitmap = png_read(&png(&text, scale).unwrap());
        assert_eq!(decoded(&bitmap).as_ref(), Some(&text), "{scale}");
    }
}

#[test]
fn png_of_one_pixel_a_module_is_the_large_one_made_small() {
    let text = sealed();
    let (small, large) = (png(&text, 1).unwrap(), png(&text, 5).unwrap());
    let (small, large) = (png_read(&small), png_read(&large));
    assert_eq!(large.len(), small.len() * 5);
    for (y, row) in large.iter().enumerate() {
        for (x, dark) in row.iter().enumerate() {
            assert_eq!(*dark, small[y / 5][x / 5], "{x} {y}");
        }
    }
}

#[test]
fn lines_are_read_by_a_decoder() {
    let text = sealed();
    let lines = lines(&text).unwrap();
    let half = |dark: [char; 2]| {
        let row = move |line: &String| line.chars().map(|c| dark.contains(&c)).collect();
        lines.iter().map(row).collect::<Bitmap>()
    };
    let (above, below) = (half(['▄', ' ']), half(['▀', ' ']));
    let side = above[0].len();
    let rows = above.into_iter().zip(below).flat_map(<[_; 2]>::from).take(side);
    // A decoder wants to find edges.
    let wide = |row: Vec<bool>| row.into_iter().flat_map(|dark| [dark; 4]).collect::<Vec<_>>();
    let rows: Bitmap = rows.flat_map(|row| vec![wide(row); 4]).collect();
    assert_eq!(decoded(&rows), Some(text));
}

#[test]
fn svg_is_read_by_a_decoder() {
    let text = sealed();
    assert_eq!(decoded(&svg_read(&svg(&text).unwrap())), Some(text));
}

#[test]
fn smeared_corner_or_edge_is_read_and_half_a_picture_is_not() {
    let text = sealed();
    let (scale, clean) = (4, png_read(&png(&text, 4).unwrap()));
    let side = clean.len() / scale - 2 * QUIET_ZONE;
    let at = |module: usize| (module + QUIET_ZONE) * scale;
    let smeared = |rows: Range<usize>, columns: Range<usize>| {
        let mut bitmap = clean.clone();
        for row in &mut bitmap[at(rows.start)..at(rows.end)] {
            row[at(columns.start)..at(columns.end)].iter_mut().for_each(|dark| *dark = !*dark);
        }
        decoded(&bitmap)
    };
    // The corner without a finder pattern, then the edge between one and the alignment pattern.
    assert_eq!(smeared(side - 4..side, side - 4..side).as_ref(), Some(&text));
    assert_eq!(smeared(12..side - 12, side - side / 5..side), Some(text));
    assert_eq!(smeared(12..side - 12, side / 2..side), None);
}

#[test]
fn quiet_zone_of_four_modules_is_white() {
    let bitmap = png_read(&png(&sealed(), 1).unwrap());
    let side = bitmap.len();
    for (y, row) in bitmap.iter().enumerate() {
        for (x, dark) in row.iter().enumerate() {
            let border = [x, y].iter().any(|at| *at < 4 || *at >= side - 4);
            assert!(!(border && *dark), "{x} {y}");
        }
    }
    assert!(bitmap[4][4] && bitmap[4][side - 5] && bitmap[side - 5][4]);
}

#[test]
fn text_and_scale_have_bounds() {
    let longest = "A".repeat(TEXT_MAX);
    assert_eq!(decoded(&png_read(&png(&longest, 2).unwrap())), Some(longest.clone()));
    let long = longest + "A";
    assert!(matches!(png(&long, 2), Err(PictureError::TooLong)));
    assert!(matches!(svg(&long), Err(PictureError::TooLong)));
    assert!(matches!(png("A", 0), Err(PictureError::Scale)));
    assert!(matches!(png("A", 33), Err(PictureError::Scale)));
}
