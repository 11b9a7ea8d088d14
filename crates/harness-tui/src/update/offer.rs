//! What is offered while a word is typed, and what becomes of it.

use std::sync::Arc;

use crate::{
    app::App,
    command::Command,
    composer::Token,
    input::{Query, Request},
    key::{Code, Key},
    offer::{Files, Kind, Offer, Offered},
};

use super::{keys, words};

/// Looks at the word before the cursor, whenever it may be another one.
pub(super) fn refresh(app: &mut App) -> Vec<Request> {
    if app
        .offer
        .as_ref()
        .is_some_and(|offer| offer.kind == Kind::Earlier)
    {
        return Vec::new();
    }
    let token = app.composer.token();
    if token.is_none() {
        app.is_offer_closed = false;
    }
    match token.filter(|_| !app.is_offer_closed) {
        None => app.offer = None,
        Some(Token::Command(name)) => show(app, Kind::Commands, &name),
        Some(Token::File(name)) => {
            let begins = app.offer.is_none();
            show(app, Kind::Files, &name);
            if begins && !app.files.is_asked {
                app.files.is_asked = true;
                return vec![Request::Look(Query::Files)];
            }
        }
    }
    Vec::new()
}

fn show(app: &mut App, kind: Kind, needle: &str) {
    if let Some(offer) = app.offer.as_mut().filter(|offer| offer.kind == kind) {
        return offer.look_for(needle);
    }
    app.offer = Some(match (kind, &app.files.names) {
        (Kind::Files, Some(names)) => Offer::new(kind, Arc::clone(names), needle),
        (Kind::Files, None) => Offer::waiting(kind, needle),
        _ => Offer::new(kind, words::offered(), needle),
    });
}

/// Takes the names of the files in, and shows them where they are wanted.
pub(super) fn listed(app: &mut App, names: Vec<String>, is_cut: bool) {
    let offered = |text| Offered {
        text,
        help: String::new(),
    };
    // A name that cannot be typed cannot be offered either.
    let names = names.into_iter();
    let names = names.filter(|name| !name.chars().any(char::is_control));
    let names: Arc<[Offered]> = names.map(offered).collect();
    app.files = Files {
        names: Some(Arc::clone(&names)),
        is_cut,
        is_asked: false,
    };
    if let Some(offer) = app.offer.as_mut().filter(|offer| offer.kind == Kind::Files) {
        // Who has begun to choose keeps the list as it is.
        if offer.is_waiting || offer.chosen == 0 {
            let needle = offer.needle.clone();
            *offer = Offer::new(Kind::Files, names, &needle);
        }
    }
}

/// Offers the texts that were written before.
pub(super) fn earlier(app: &mut App) {
    let offered = |text: &str| Offered {
        text: text.to_owned(),
        help: String::new(),
    };
    let all = app.composer.history().map(offered).collect();
    app.offer = Some(Offer::new(Kind::Earlier, all, ""));
}

/// Whether a key goes to the composer although something is offered.
pub(super) fn yields(app: &App, key: Key) -> bool {
    let Some(offer) = &app.offer else {
        return false;
    };
    // What is written whole is sent.
    key == Key::plain(Code::Enter) && offer.is_exact()
}

/// Whether the letters that are typed are looked for, and not written.
pub(super) fn is_looking(app: &App) -> bool {
    app.is_offering()
        && app
            .offer
            .as_ref()
            .is_some_and(|offer| offer.kind == Kind::Earlier)
}

/// Looks for what is typed.
pub(super) fn typed(app: &mut App, key: Key) {
    let Some(offer) = &mut app.offer else { return };
    match (key.code, key.typed()) {
        (_, Some(char)) => offer.type_char(char),
        (Code::Backspace, _) if !offer.delete() => app.offer = None,
        _ => {}
    }
}

/// Closes the earlier texts; `false` when none were looked for. Other offers go with their word.
pub(super) fn close_earlier(app: &mut App) -> bool {
    let is_open = is_looking(app);
    if is_open {
        app.offer = None;
    }
    is_open
}

/// Carries out a command of the list.
pub(super) fn perform(app: &mut App, command: Command) {
    match (command, &mut app.offer) {
        (Command::OfferUp, Some(offer)) => offer.step(-1),
        (Command::OfferDown, Some(offer)) => offer.step(1),
        (Command::OfferTake, Some(_)) => take(app),
        (Command::OfferClose, Some(offer)) => {
            app.is_offer_closed = offer.kind != Kind::Earlier;
            app.offer = None;
        }
        _ => {}
    }
}

fn take(app: &mut App) {
    let Some(offer) = app.offer.take() else {
        return;
    };
    let Some(choice) = offer.choice() else {
        return;
    };
    let text = match offer.kind {
        Kind::Earlier => return app.composer.set(&choice.text),
        Kind::Commands => format!("/{} ", choice.text),
        // A name with blanks is told from the words around it.
        Kind::Files if choice.text.contains(char::is_whitespace) => format!("`{}` ", choice.text),
        Kind::Files => format!("{} ", choice.text),
    };
    let taken = app.composer.replace_token(&text);
    keys::say_if_cut(app, taken);
}
