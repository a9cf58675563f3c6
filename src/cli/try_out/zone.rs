//! The time zone that the environment variable `TZ` names, as POSIX and the IANA database write it.
//!
//! The program carries no database of time zones: names are looked up in that of the machine. Where there is none, rules such as
//! `CET-1CEST,M3.5.0,M10.5.0/3` still work, and anything else is UTC, with a word about it.

use crate::cli::console::Terminal;
use jiff::tz::TimeZone;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path};

/// Where machines keep the database.
const DATABASES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"];
/// The longest file of it that is read, in bytes; theirs are some thousand.
const LONGEST: u64 = 1 << 20;

/// The time zone of this process: UTC unless `TZ` says otherwise.
pub(super) fn of_environment(complaints: &mut Terminal) -> TimeZone {
    let Some(name) = std::env::var_os("TZ") else { return TimeZone::UTC };
    let name = name.to_string_lossy();
    find(&name, &DATABASES).unwrap_or_else(|| {
        complaints
            .line(&format!("warning: the time zone TZ=`{}` is not known here; dates are in UTC", name.escape_debug()));
        TimeZone::UTC
    })
}

/// The time zone called `name`.
fn find(name: &str, databases: &[&str]) -> Option<TimeZone> {
    let name = name.strip_prefix(':').unwrap_or(name);
    if matches!(name, "" | "UTC" | "UTC0" | "GMT" | "Etc/UTC") {
        return Some(TimeZone::UTC);
    }
    let plain = Path::new(name).components().all(|component| matches!(component, Component::Normal(_)));
    let of_database = databases.iter().filter(|_| plain).find_map(|folder| read(name, &Path::new(folder).join(name)));
    of_database.or_else(|| TimeZone::posix(name).ok())
}

fn read(name: &str, path: &Path) -> Option<TimeZone> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    TimeZone::tzif(name, &bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn zones_are_found_by_name_or_by_rule() {
        let hour = |name: &str| {
            let zone = find(name, &DATABASES)?;
            Some(Timestamp::from_second(1_720_000_800).unwrap().to_zoned(zone).hour())
        };
        assert_eq!(hour(""), Some(10));
        assert_eq!(hour("UTC"), Some(10));
        assert_eq!(hour("CET-1CEST,M3.5.0,M10.5.0/3"), Some(12));
        assert_eq!(hour("XYZ+3"), Some(7));
        assert_eq!(hour("No/Such_Zone"), None);
        assert_eq!(hour("../../etc/passwd"), None);
        if Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
            assert_eq!(hour("Europe/Berlin"), Some(12));
            assert_eq!(hour(":Europe/Berlin"), Some(12));
        }
    }
}
