//! Writes the inputs to start from: `seeds FOLDER` makes a folder per target.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "seeds".into()));
    for (place, (target, text)) in longboard_fuzz::seeds().into_iter().enumerate() {
        std::fs::create_dir_all(folder.join(target))?;
        std::fs::write(folder.join(target).join(place.to_string()), text)?;
    }
    Ok(())
}
