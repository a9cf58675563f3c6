//! How long the long tests are: a tenth or less in an ordinary run, whole in `script/prove`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::hash::{BuildHasher as _, RandomState};

/// Whether this run is a whole proof.
pub(crate) fn is_full() -> bool {
    std::env::var_os("SITESERVER_PROVE").is_some()
}

/// How many there are of something: in a whole proof, and otherwise.
pub(crate) fn scaled(full: usize, otherwise: usize) -> usize {
    if is_full() { full } else { otherwise }
}

/// Lets this process, and those that it starts, have so many files and sockets open. Says so if it may not.
pub(crate) fn may_open(files: u64) -> bool {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= files) {
        return true;
    }
    let may = maximum.is_none_or(|maximum| maximum >= files)
        && setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum }).is_ok();
    if !may {
        println!("skipped: {files} open files are needed, and {maximum:?} are allowed");
    }
    may
}

/// A small generator, so that a failure can be repeated from the seed that it prints.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// One whose seed is that of `PROOF_SEED`, or a new one; it is printed.
    pub(crate) fn new() -> Self {
        let given = std::env::var("PROOF_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one("seed") >> 1);
        println!("PROOF_SEED={seed}");
        Self(seed)
    }

    /// Another one that goes its own way.
    pub(crate) fn split(&mut self) -> Self {
        Self(self.bits())
    }

    /// The next of the sequence (`SplitMix64`).
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.bits() % end as u64).expect("it is below a usize")
    }

    /// True so many times of a hundred.
    pub(crate) fn percent(&mut self, of: usize) -> bool {
        self.below(100) < of
    }

    /// One of these.
    pub(crate) fn pick<'p, T>(&mut self, from: &'p [T]) -> &'p T {
        &from[self.below(from.len())]
    }
}
