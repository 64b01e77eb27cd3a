//! Templates with `{name}` slots.

/// Fills slots in one pass, so that braces in what is filled in stay as they are. Unknown slots stay too.
#[must_use]
pub fn filled(template: &str, slots: &[(&str, &str)]) -> String {
    let mut pieces = template.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let slot = piece.split_once('}').and_then(|(name, tail)| {
            let value = slots.iter().find(|(slot, _)| *slot == name)?;
            Some((value.1, tail))
        });
        match slot {
            Some((value, tail)) => text.extend([value, tail]),
            None => text.extend(["{", piece]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_once() {
        assert_eq!(filled("{a} {b} {c}", &[("a", "{b}"), ("b", "x")]), "{b} x {c}");
        assert_eq!(filled(r"\boxed{} {a", &[("a", "x")]), r"\boxed{} {a");
    }
}
