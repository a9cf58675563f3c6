//! Messages at random about something stored.
