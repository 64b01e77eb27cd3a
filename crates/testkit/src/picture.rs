//! Reads pictures as Longboard writes them: PNG files of sixteen colours in stored blocks.

/// Palette indices by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    rows: Vec<Vec<u8>>,
}

impl Pixels {
    /// The pixels of a PNG file; `None` for any other kind of file.
    #[must_use]
    pub fn read(png: &[u8]) -> Option<Self> {
        let mut rest = png.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
        let (mut width, mut stream) = (0, Vec::new());
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let length = u32::from_be_bytes(*head.first_chunk()?) as usize;
            let data = after.get(..length)?;
            match &head[4..] {
                b"IHDR" => width = u32::from_be_bytes(*data.first_chunk()?) as usize,
                b"IDAT" => stream.extend_from_slice(data),
                _ => {}
            }
            rest = after.get(length + 4..)?;
        }
        let lines = stored(stream.get(2..)?)?;
        let rows = lines.chunks(width.div_ceil(2) + 1).map(|line| {
            let pairs = line.iter().skip(1).flat_map(|pair| [pair >> 4, pair & 15]);
            pairs.take(width).collect()
        });
        Some(Self { rows: rows.collect() })
    }

    /// Columns from `left` on.
    fn part(&self, left: usize, width: usize) -> Option<Vec<&[u8]>> {
        self.rows.iter().map(|row| row.get(left..left + width)).collect()
    }
}

/// What a zlib stream of stored blocks holds.
fn stored(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    loop {
        let (head, after) = rest.split_first_chunk::<5>()?;
        let length = usize::from(u16::from_le_bytes([head[1], head[2]]));
        data.extend_from_slice(after.get(..length)?);
        if head[0] & 1 == 1 {
            return Some(data);
        }
        rest = after.get(length..)?;
    }
}

/// The letters of a line, each in a cell of the same width behind a margin, found among pictures of single letters.
#[must_use]
pub fn letters(line: &Pixels, known: &[(char, Pixels)], (margin, width): (usize, usize)) -> String {
    let cells = (0..).map_while(|place| line.part(margin + place * width, width));
    let named = cells.filter_map(|cell| {
        let same = |(_, letter): &&(char, Pixels)| letter.part(margin, width).is_some_and(|letter| letter == cell);
        Some(known.iter().find(same)?.0)
    });
    named.collect()
}
