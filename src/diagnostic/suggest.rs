//! The name that an author probably meant.

/// The longest name, in bytes, that is compared.
const LONGEST: usize = 100;

/// The candidate nearest to `name`, if one is near enough to be worth naming.
pub fn suggest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Nobody misspells a name of such a length.
    if name.len() > LONGEST {
        return None;
    }
    let allowed = (name.chars().count() / 3).max(1);
    let folded = fold(name);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| (strsim::osa_distance(&folded, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The help `did you mean …?` for the nearest candidate.
pub fn did_you_mean<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    suggest(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// Case and the choice between `-` and `_` are the commonest mistakes, and count as none.
fn fold(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let keys = ["s-maxage", "max-age", "tags", "no-store"];
        for (typed, meant) in [
            ("s_maxage", Some("s-maxage")),
            ("smaxage", Some("s-maxage")),
            ("MAX-AGE", Some("max-age")),
            ("tgas", Some("tags")),
            ("nostore", Some("no-store")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(suggest(typed, keys), meant, "{typed}");
        }
    }
}
