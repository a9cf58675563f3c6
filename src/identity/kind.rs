//! The ways to know who asks, of which a site declares some, and a guard counts on some.

use crate::config::words;

words! {
    /// A way to know who asks.
    pub enum Identity {
        /// A token: `[auth.jwt]`.
        "jwt": Jwt,
        /// A name and a password: `[auth.basic]`.
        "basic": Basic,
        /// What an upstream says: `[auth.forward]`.
        "forward": Forward,
    }
}

impl Identity {
    /// All of them, in the order in which a request is looked at.
    pub const ALL: [Self; 3] = [Self::Jwt, Self::Basic, Self::Forward];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Basic => "basic",
            Self::Forward => "forward",
        }
    }
}

/// Some of the identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Identities(u8);

impl Identities {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// Whatever a site has.
    pub const ALL: Self = Self(0b111);

    /// Whether this is one of them.
    pub fn has(self, identity: Identity) -> bool {
        self.0 & Self::bit(identity) != 0
    }

    /// Those, and this.
    #[must_use]
    pub fn with(self, identity: Identity) -> Self {
        Self(self.0 | Self::bit(identity))
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those, in the order in which a request is looked at.
    pub fn iter(self) -> impl Iterator<Item = Identity> {
        Identity::ALL.into_iter().filter(move |identity| self.has(*identity))
    }

    fn bit(identity: Identity) -> u8 {
        match identity {
            Identity::Jwt => 0b001,
            Identity::Basic => 0b010,
            Identity::Forward => 0b100,
        }
    }
}

impl FromIterator<Identity> for Identities {
    fn from_iter<I: IntoIterator<Item = Identity>>(identities: I) -> Self {
        identities.into_iter().fold(Self::NONE, Self::with)
    }
}
