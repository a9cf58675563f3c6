//! Weights of negotiation (RFC 9110, section 12.4.2): how much of several things one is wanted.

/// From 0, refused, to 1000, wanted most.
pub(super) type Weight = u16;

/// A weight that is not said.
pub(super) const FULL: Weight = 1000;

/// A member of a negotiation's list: what it names, and how much that is wanted. `None` if it says that in no way that counts.
pub(super) fn weighted(member: &str) -> Option<(&str, Weight)> {
    let (name, parameter) = member.split_once(';').map_or((member, None), |(name, after)| (name, Some(after)));
    Some((name.trim(), parameter.map_or(Some(FULL), weight)?))
}

/// `q=0.5` as 500.
pub(super) fn weight(parameter: &str) -> Option<Weight> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit()) && fraction.len() <= 3;
    let thousandths = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    let thousandths = thousandths.fold(0, |all, digit| all * 10 + Weight::from(digit.wrapping_sub(b'0')));
    match whole {
        "0" if digits => Some(thousandths),
        "1" if digits && thousandths == 0 => Some(FULL),
        _ => None,
    }
}
