//! PNG files of sixteen colours (ISO/IEC 15948), uncompressed, so that their bytes depend on nothing but the pixels.

/// Bytes of one stored block of a zlib stream (RFC 1951, section 3.2.4).
const BLOCK: usize = 0xffff;

/// A picture of palette indices, 0..16.
pub struct Raster {
    width: usize,
    pixels: Vec<u8>,
}

impl Raster {
    /// A picture of the first colour.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, pixels: vec![0; width * height] }
    }

    /// Colours a rectangle: left, top, width, height.
    pub fn fill(&mut self, (left, top): (usize, usize), (width, height): (usize, usize), colour: u8) {
        for y in top..top + height {
            for x in left..left + width {
                self.set(x, y, colour);
            }
        }
    }

    /// Colours one pixel; those outside are left alone.
    pub fn set(&mut self, x: usize, y: usize, colour: u8) {
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = colour;
        }
    }

    /// The file. Colours that `palette` lacks are black.
    pub fn png(&self, palette: &[[u8; 3]; 16]) -> Vec<u8> {
        let height = self.pixels.len() / self.width.max(1);
        let mut lines = Vec::with_capacity(height * (self.width / 2 + 2));
        for line in self.pixels.chunks(self.width.max(1)) {
            // Filter 0: none.
            lines.push(0);
            lines.extend(line.chunks(2).map(|pair| {
                let at = |place: usize| pair.get(place).copied().unwrap_or(0) & 15;
                at(0) << 4 | at(1)
            }));
        }
        let size = |side: usize| u32::try_from(side).unwrap_or(u32::MAX).to_be_bytes();
        // Four bits of palette index per pixel, deflate, adaptive filters, no interlace.
        let header = [size(self.width).as_slice(), &size(height), &[4, 3, 0, 0, 0]].concat();
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(&mut file, b"IHDR", &header);
        chunk(&mut file, b"PLTE", palette.as_flattened());
        chunk(&mut file, b"IDAT", &stored(&lines));
        chunk(&mut file, b"IEND", &[]);
        file
    }
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    let sum = crc32(kind.iter().chain(data));
    file.extend(sum.to_be_bytes());
}

/// A zlib stream (RFC 1950) of stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let blocks = data.chunks(BLOCK).count();
    for (number, block) in data.chunks(BLOCK).enumerate() {
        stream.push(u8::from(number + 1 == blocks));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(data).to_be_bytes());
    stream
}

fn adler32(data: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    let (one, two) = data.iter().fold((1, 0), |(one, two), byte| {
        let one = (one + u32::from(*byte)) % BASE;
        (one, (two + one) % BASE)
    });
    two << 16 | one
}

/// CRC-32 of a nibble (ISO/IEC 15948, annex D, with four bits at a time).
const CRC_32: [u32; 16] = [
    0x0000_0000,
    0x1db7_1064,
    0x3b6e_20c8,
    0x26d9_30ac,
    0x76dc_4190,
    0x6b6b_51f4,
    0x4db2_6158,
    0x5005_713c,
    0xedb8_8320,
    0xf00f_9344,
    0xd6d6_a3e8,
    0xcb61_b38c,
    0x9b64_c2b0,
    0x86d3_d2d4,
    0xa00a_e278,
    0xbdbd_f21c,
];

fn crc32<'a>(data: impl Iterator<Item = &'a u8>) -> u32 {
    let step = |crc: u32, nibble: u32| (crc >> 4) ^ CRC_32.get(((crc ^ nibble) & 15) as usize).copied().unwrap_or(0);
    !data.fold(u32::MAX, |crc, byte| step(step(crc, u32::from(*byte) & 15), u32::from(*byte) >> 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_of_the_standards() {
        assert_eq!(crc32(b"123456789".iter()), 0xcbf4_3926);
        assert_eq!(crc32(b"IEND".iter()), 0xae42_6082);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn a_file_holds_its_pixels() {
        let mut raster = Raster::new(3, 2);
        raster.set(2, 1, 5);
        raster.set(3, 0, 7);
        let file = raster.png(&[[9; 3]; 16]);
        assert_eq!(&file[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&file[16..29], [0, 0, 0, 3, 0, 0, 0, 2, 4, 3, 0, 0, 0]);
        // Chunk heads and sums, signature, header, palette, then two zlib bytes and the head of the only block.
        let data = 8 + (12 + 13) + (12 + 48) + 8 + 2 + 5;
        assert_eq!(&file[data..data + 6], [0, 0, 0, 0, 0, 0x50]);
        assert_eq!(&file[file.len() - 12..file.len() - 4], b"\0\0\0\0IEND");
    }
}
