//! Answers checked against a corpus that a maintainer supplied, on SQLite and PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod stage;

use longboard_app::AppError;
use longboard_app::store::task::Corpus;
use longboard_app::suites::safe::Support;
use longboard_testkit::database::TestDatabase;

use stage::{longboard, now};

fn corpus(slug: &str, language: &str, body: &str) -> Corpus {
    Corpus {
        slug: slug.to_owned(),
        title: slug.to_owned(),
        language: language.to_owned(),
        digest: format!("digest of {slug}"),
        body: body.to_owned(),
        created_at: now(),
    }
}

#[tokio::test]
async fn a_corpus_says_which_facts_it_supports() {
    for database in TestDatabase::each() {
        let longboard = longboard(&database).await;
        let mills = "The mill of Ashford was built in 912 by Orla Pike.\n\nThe bridge of Ashford fell in 930.";
        for row in [corpus("mills", "en", mills), corpus("other", "en", "Nothing."), corpus("zh", "zh", "磨坊。")] {
            longboard.store().add_corpus(row).await.unwrap();
        }
        let long = longboard.store().task("planted_writing", None).await.unwrap().unwrap();
        let offered = longboard.sources(&long).await.unwrap();
        assert_eq!(offered.iter().map(|corpus| corpus.slug.as_str()).collect::<Vec<_>>(), ["mills", "other"]);
        let short = longboard.store().task("niah_single_1", None).await.unwrap().unwrap();
        assert!(longboard.sources(&short).await.unwrap().is_empty(), "{}", database.kind);

        let answer = "Orla Pike built the mill of Ashford in 912. The bridge of Ashford fell in 931.";
        let found = longboard.factuality_in("mills", answer.to_owned()).await.unwrap();
        let labels: Vec<Support> = found.said.iter().map(|fact| fact.label).collect();
        assert_eq!(labels, [Support::Supported, Support::NotSupported], "{found:?}");
        assert!(found.said.first().unwrap().evidence.first().unwrap().text.contains("912"));
        assert!(found.f1_at.iter().all(|(_, score)| (0.0..=100.0).contains(score)) && found.f1_at.len() == 2);
        let other = longboard.factuality_in("other", answer.to_owned()).await.unwrap();
        assert_eq!((other.supported, other.unsupported), (0, 2), "another corpus is another index");
        let none = longboard.factuality_in("none", answer.to_owned()).await.unwrap_err();
        assert!(matches!(none, AppError::NotFound(_)), "{none}");
    }
}
