//! The chronicle in Persian.

use super::World;
use super::chronicle::Statement;
use super::fact::{Event, EventKind, Fact, Measure, MeasureKind};
use super::person::{PersonId, Trade};
use super::town::TownId;
use crate::card::Language::Persian;
use crate::rng::Rng;

const MONTHS: [&str; 12] =
    ["فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"];

pub(super) fn paragraph(world: World, facts: &[Fact], wording: &mut Rng) -> Vec<Statement> {
    facts.iter().map(|fact| Statement { text: sentence(world, fact, wording.index(3)), fact: fact.clone() }).collect()
}

/// A number in Persian digits.
pub(crate) fn digits(number: u32) -> String {
    let digit = |digit: u32| char::from_u32(0x06f0 + digit).unwrap_or('۰');
    number.to_string().chars().filter_map(|ascii| ascii.to_digit(10)).map(digit).collect()
}

fn person(world: World, id: PersonId) -> String {
    world.person(id).name.of(Persian)
}

fn town(world: World, id: TownId) -> String {
    world.town(id).name.of(Persian)
}

pub(super) fn sentence(world: World, fact: &Fact, wording: usize) -> String {
    match fact {
        Fact::Town(id) => founded(world, *id, wording),
        Fact::Life(id) => lived(world, *id, wording),
        Fact::Parents(id) => {
            let parents: Vec<String> = world.parents(*id).into_iter().map(|parent| person(world, parent)).collect();
            let (name, parents) = (person(world, *id), parents.join(" و "));
            match wording {
                0 => format!("{name} فرزند {parents} بود."),
                1 => format!("پدر و مادری که {name} را بزرگ کردند از خانهٔ {parents} بودند."),
                _ => format!("{name} در خانهٔ {parents} بزرگ شد."),
            }
        }
        Fact::Marriage(one, other) => {
            let year = digits(world.wedding(*one, *other));
            let (one, other) = (person(world, *one), person(world, *other));
            match wording {
                0 => format!("{one} و {other} در سال {year} پیوند زناشویی بستند."),
                _ => format!("در سال {year} جشن عروسی {one} و {other} برپا شد."),
            }
        }
        Fact::Death(id) => {
            let one = world.person(*id);
            let (name, died, age) = (one.name.of(Persian), digits(one.died), digits(one.died - one.born));
            match wording {
                0 => format!("{name} در سال {died} و در {age} سالگی درگذشت."),
                1 => format!("مرگ {name} در سال {died} بود، پس از {age} سال زندگی."),
                _ => format!("{name} {age} سال زیست و در سال {died} چشم از جهان فروبست."),
            }
        }
        Fact::Term(term) => {
            let (holder, place) = (person(world, term.holder), town(world, term.town));
            let (from, to) = (digits(term.from), digits(term.to));
            match wording {
                0 => format!("از سال {from} تا {to} کدخدایی {place} با {holder} بود."),
                1 => format!("مردم {place} در سال {from} {holder} را به کدخدایی برگزیدند و کار او تا سال {to} پایید."),
                _ => format!("{holder} مهر {place} را در سال {from} گرفت و در سال {to} پس داد."),
            }
        }
        Fact::Measure(measure) => measured(world, measure, wording),
        Fact::Event(event) => happened(world, event),
        Fact::None => "نوشته‌ها در این باره خاموش‌اند.".to_owned(),
    }
}

fn founded(world: World, id: TownId, wording: usize) -> String {
    let town = world.town(id);
    let (name, river, year) = (town.name.of(Persian), town.river.of(Persian), digits(town.founded));
    match wording {
        0 => format!("شهر {name} کنار {river} است و در سال {year} ساخته شد."),
        1 => format!("{name} بر کرانهٔ {river} جای دارد و بنای آن به سال {year} بازمی‌گردد."),
        _ => format!("نخستین خانه‌های {name} در سال {year} لب {river} بالا رفت."),
    }
}

fn lived(world: World, id: PersonId, wording: usize) -> String {
    let one = world.person(id);
    let (name, born, trade, home) = (one.name.of(Persian), digits(one.born), trade(one.trade), town(world, one.home));
    match wording {
        0 => format!("{name} در سال {born} در {home} به دنیا آمد و بعدها {trade} شد."),
        1 => format!("{name}، {trade} اهل {home}، زادهٔ سال {born} بود."),
        _ => format!("دفتر {home} سال تولد {name} را که {trade} بود {born} نوشته است."),
    }
}

fn trade(trade: Trade) -> &'static str {
    match trade {
        Trade::Miller => "آسیابان",
        Trade::Smith => "آهنگر",
        Trade::Weaver => "بافنده",
        Trade::Ferryman => "کرجی‌بان",
        Trade::Baker => "نانوا",
        Trade::Mason => "سنگ‌تراش",
        Trade::Carpenter => "درودگر",
        Trade::Scribe => "دبیر",
        Trade::Potter => "کوزه‌گر",
        Trade::Brewer => "شربت‌ساز",
        Trade::Tanner => "دباغ",
        Trade::Beekeeper => "زنبوردار",
    }
}

fn measured(world: World, measure: &Measure, wording: usize) -> String {
    let (place, year, amount) = (town(world, measure.town), digits(measure.year), digits(measure.amount));
    match (measure.kind, wording) {
        (MeasureKind::HarvestSacks, 0) => format!("کشتزارهای {place} در سال {year} {amount} کیسه چاودار داد."),
        (MeasureKind::HarvestSacks, _) => format!("در سال {year} از زمین‌های {place} {amount} کیسه چاودار برداشتند."),
        (MeasureKind::PricePence, 0) => format!("بهای هر کیسه چاودار در {place} به سال {year}، {amount} سکه بود."),
        (MeasureKind::PricePence, _) => {
            format!("در سال {year} یک کیسه چاودار را در {place} به {amount} سکه می‌فروختند.")
        }
        (MeasureKind::WallPaces, _) => format!("در سال {year} {amount} گام به باروی {place} افزودند."),
        (MeasureKind::Boats, _) => format!("باج‌گیر {place} در سال {year} {amount} قایق در بارانداز شمرد."),
    }
}

fn happened(world: World, event: &Event) -> String {
    let (place, other, leader) = (town(world, event.town), town(world, event.with), person(world, event.leader));
    let month = MONTHS.get((event.month as usize).wrapping_sub(1)).copied().unwrap_or_default();
    let date = format!("{} {month} سال {}", digits(event.day), digits(event.year));
    match event.kind {
        EventKind::Flood => format!("در {date} آب رود از بارانداز {place} بالا آمد و {leader} مردم را به تپه برد."),
        EventKind::Fire => format!("{place} در {date} آتش گرفت و مردم با راهنمایی {leader} آن را خاموش کردند."),
        EventKind::Frost => format!("یخبندان {date} باغ‌های {place} را سوزاند و {leader} آن را در دفتر نوشت."),
        EventKind::Fair => format!("{leader} در {date} بازار بزرگ {place} را گشود."),
        EventKind::Bridge => format!("پل {place} در {date} به روی مردم باز شد و سازندهٔ آن {leader} بود."),
        EventKind::Mill => format!("در {date} آسیابی تازه در {place} به گردش درآمد که از آن {leader} بود."),
        EventKind::Dispute => format!("{leader} در {date} ستیز {place} و {other} را نزد داور برد."),
        EventKind::Treaty => format!("{place} و {other} در {date} پیمان بستند و {leader} از سوی {place} مهر زد."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_persian_digits() {
        assert_eq!(digits(1_870), "۱۸۷۰");
        assert_eq!(digits(0), "۰");
    }

    #[test]
    fn sentences_are_persian_throughout() {
        let mut chronicle = super::super::Chronicle::new(World::new(3), Persian, 1);
        for _ in 0..200 {
            for statement in chronicle.paragraph() {
                assert!(statement.text.ends_with('.'));
                assert!(!statement.text.contains(|letter: char| letter.is_ascii_alphanumeric()), "{}", statement.text);
            }
        }
    }
}
