//! What a `Content-Security-Policy` must allow so that development's script runs: that script, and what it asks for. Nothing else is allowed
//! by it, so that what the author's policy refuses is refused here as it would be where the site is served.
//!
//! Styles need nothing: the script gives them to the browser as objects, which no policy is about.

/// What says which elements of scripts run: the first of these that there is.
const ELEMENTS: [&str; 3] = ["script-src-elem", "script-src", "default-src"];

/// What is allowed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed<'a> {
    /// The address of the script, if a policy can name it.
    pub(super) script: Option<&'a str>,
    /// What it may ask for, if a policy can name that: an address that ends in a slash stands for all below it. Else the whole site.
    pub(super) connections: Option<&'a str>,
    /// The word by which the script runs where addresses do not count, or cannot be named.
    pub(super) nonce: &'a str,
}

/// The policies with that.
pub(super) fn amend(policies: &str, allowed: Allowed<'_>) -> String {
    let amended: Vec<String> = policies.split(',').map(|policy| amend_one(policy, allowed)).collect();
    amended.join(", ")
}

/// Whether the script runs by a nonce alone.
pub(super) fn needs_nonce(policies: &str, allowed: Allowed<'_>) -> bool {
    policies.split(',').any(|policy| sources(policy, &ELEMENTS).is_some_and(|sources| is_by_nonce(&sources, allowed)))
}

fn amend_one(policy: &str, allowed: Allowed<'_>) -> String {
    // Whoever has nothing of their own is asked of the next. What is written stays as it is: only elements and connections are spoken of.
    let asked = [
        ("script-src-elem", allowed.script, ELEMENTS.as_slice()),
        ("connect-src", allowed.connections, ["connect-src", "default-src"].as_slice()),
    ];
    let added = asked.into_iter().filter_map(|(name, address, asked)| {
        let mut sources = sources(policy, asked)?;
        sources.retain(|source| !source.eq_ignore_ascii_case("'none'"));
        let nonce = format!("'nonce-{}'", allowed.nonce);
        let is_by_nonce = name == "script-src-elem" && is_by_nonce(&sources, allowed);
        sources.push(if is_by_nonce { &nonce } else { address.unwrap_or("'self'") });
        Some(format!("{name} {}", sources.join(" ")))
    });
    let added: Vec<String> = added.collect();
    let is_replaced = |directive: &str| {
        let name = name_of(directive);
        added.iter().any(|added| name_of(added).eq_ignore_ascii_case(name))
    };
    let kept = policy.split(';').map(str::trim).filter(|directive| !directive.is_empty() && !is_replaced(directive));
    let all: Vec<&str> = kept.chain(added.iter().map(String::as_str)).collect();
    all.join("; ")
}

/// The sources of the first of these directives that the policy has; of one that is written twice the first counts.
fn sources<'p>(policy: &'p str, names: &[&str]) -> Option<Vec<&'p str>> {
    let written = |name: &&str| policy.split(';').find(|directive| name_of(directive).eq_ignore_ascii_case(name));
    let directive = names.iter().find_map(written)?;
    Some(directive.split_ascii_whitespace().skip(1).collect())
}

fn name_of(directive: &str) -> &str {
    directive.split_ascii_whitespace().next().unwrap_or_default()
}

/// Whether the script needs a nonce to run: where addresses do not count, or where its own cannot be named. A nonce where there is none, nor
/// a digest, would turn off `'unsafe-inline'`, and the author's scripts with it.
fn is_by_nonce(sources: &[&str], allowed: Allowed<'_>) -> bool {
    let has = |word: &str| sources.iter().any(|source| source.eq_ignore_ascii_case(word));
    let has_secret = || {
        let begins =
            |source: &&str, word: &str| source.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
        sources
            .iter()
            .any(|source| ["'nonce-", "'sha256-", "'sha384-", "'sha512-"].iter().any(|word| begins(source, word)))
    };
    has("'strict-dynamic'") || (allowed.script.is_none() && (!has("'unsafe-inline'") || has_secret()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "http://localhost:4000/_siteserver/";

    #[test]
    fn exactly_what_is_needed_is_allowed() {
        for (policy, expected) in [
            ("", ""),
            ("img-src 'self'", "img-src 'self'"),
            ("default-src 'none'", "default-src 'none'; script-src-elem JS; connect-src OWN"),
            (
                "default-src 'self'; script-src 'none'",
                "default-src 'self'; script-src 'none'; script-src-elem JS; connect-src 'self' OWN",
            ),
            (
                "DEFAULT-SRC 'self' https://cdn.example; Connect-Src 'NONE'; script-src-attr 'none'",
                "DEFAULT-SRC 'self' https://cdn.example; script-src-attr 'none'; script-src-elem 'self' https://cdn.example JS; connect-src OWN",
            ),
            (
                "script-src 'self' 'unsafe-inline' 'sha256-x'",
                "script-src 'self' 'unsafe-inline' 'sha256-x'; script-src-elem 'self' 'unsafe-inline' 'sha256-x' JS",
            ),
            (
                "script-src 'nonce-a' 'strict-dynamic'; connect-src *",
                "script-src 'nonce-a' 'strict-dynamic'; script-src-elem 'nonce-a' 'strict-dynamic' 'nonce-N'; connect-src * OWN",
            ),
            // The second of a name says nothing.
            ("script-src-elem 'none'; script-src-elem *", "script-src-elem JS"),
            // Each of several policies must allow it.
            (
                "script-src 'none', connect-src 'none'; img-src *",
                "script-src 'none'; script-src-elem JS, img-src *; connect-src OWN",
            ),
        ] {
            let script = format!("{OWN}dev.js");
            let allowed = Allowed { script: Some(&script), connections: Some(OWN), nonce: "N" };
            let expected = expected.replace("JS", &script).replace("OWN", OWN);
            assert_eq!(amend(policy, allowed), expected, "{policy}");
        }
    }

    #[test]
    fn a_nonce_is_for_policies_that_hear_nothing_else() {
        let allowed = Allowed { script: Some(OWN), connections: Some(OWN), nonce: "N" };
        assert!(needs_nonce("default-src 'self', script-src 'strict-dynamic'", allowed));
        assert!(!needs_nonce("script-src 'self'; script-src-attr 'strict-dynamic'", allowed));
    }

    #[test]
    fn what_no_policy_can_name_runs_by_a_nonce_unless_that_turned_something_off() {
        let allowed = Allowed { script: None, connections: None, nonce: "N" };
        for (policy, expected) in [
            ("img-src 'self'", "img-src 'self'"),
            ("default-src 'none'", "default-src 'none'; script-src-elem 'nonce-N'; connect-src 'self'"),
            (
                "script-src 'self' 'unsafe-inline'; connect-src *",
                "script-src 'self' 'unsafe-inline'; script-src-elem 'self' 'unsafe-inline' 'self'; connect-src * 'self'",
            ),
            (
                "script-src 'unsafe-inline' 'sha256-x'",
                "script-src 'unsafe-inline' 'sha256-x'; script-src-elem 'unsafe-inline' 'sha256-x' 'nonce-N'",
            ),
        ] {
            assert_eq!(amend(policy, allowed), expected, "{policy}");
            assert_eq!(needs_nonce(policy, allowed), expected.contains("nonce"), "{policy}");
        }
    }
}
