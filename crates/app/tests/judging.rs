//! Judging from the pool to the board, on SQLite and PostgreSQL: with honest judges, one that prefers a place, one that
//! can be talked round, and an answer that tries to.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod stage;

use chrono::Utc;
use longboard_app::account::SignUp;
use longboard_app::endpoint::Registration;
use longboard_app::fleet::FleetMember;
use longboard_app::judging::JudgingRequest;
use longboard_app::rating::{RatingBoard, current_rating_board};
use longboard_app::run::RunRequest;
use longboard_app::store::JudgingState;
use longboard_app::store::task::Corpus;

use longboard_app::team::Member;
use longboard_app::votes::import_votes;
use longboard_app::{AppError, Longboard, StoreError};
use longboard_protocol::judging::{HealthRequest, HealthWork, JudgeWork, Spoken, Trial, VerdictsRequest};
use longboard_protocol::worker::{
    Answer, AnswersRequest, ClaimRequest, Completion, Exchange, RunWork, ShardLease, Work,
};
use longboard_suites::item::{Item, prompt_digest};
use longboard_suites::judging::{
    BuiltinJudge, Label, OpenEnded, injections, pairwise_prompt, plant, rating_prompt, suspect,
};
use longboard_suites::length::Length;
use longboard_suites::safe::Support;
use longboard_suites::task::{ItemRequest, Task};
use longboard_testkit::database::TestDatabase;
use secrecy::ExposeSecret;

use stage::{alpha, enlist, longboard, now, registration, report};

const SUITE: &str = "open-ended";
const CONTESTANTS: [&str; 4] = ["honest", "partial", "wrong", "sly"];

struct Stage {
    longboard: Longboard,
    member: Member,
    worker: FleetMember,
}

async fn stage(database: &TestDatabase) -> Stage {
    let longboard = longboard(database).await;
    longboard.install_judges(now()).await.unwrap();
    longboard.install_judges(now()).await.unwrap();
    let user = longboard.create_user(alpha(), true, [1; 32], now()).await.unwrap();
    longboard.create_team(&user, "Alpha", now()).await.unwrap();
    let member = longboard.member(&user, "alpha").await.unwrap();
    let worker = enlist(&longboard, "one", 2).await;
    Stage { longboard, member, worker }
}

/// A contestant or judge whose model has its own name.
fn entrant(name: &str, family: &str) -> Registration {
    let (model, family) = (name.to_owned(), family.to_owned());
    Registration { model, secret: None, family, ..registration(name, "http://127.0.0.1:9/v1") }
}

fn item(slug: &str, length_tokens: u32, seed: u64, index: u32) -> (Item, OpenEnded) {
    let task = Task::find(slug).unwrap();
    let length = Length::new(length_tokens).unwrap();
    let item = task.item(&ItemRequest::new(seed, index, length)).unwrap();
    let material = task.open_ended(&item).unwrap();
    (item, material)
}

/// What a contestant answers: the reference, its first half, that of another item, or that with an instruction to judges.
fn answer(contestant: &str, work: &RunWork, index: u32) -> (Item, String) {
    let (own, material) = item(&work.task.slug, work.length_tokens, work.seed, index);
    let (_, other) = item(&work.task.slug, work.length_tokens, work.seed, index + 1000);
    let right = material.reference.unwrap();
    let wrong = other.reference.unwrap();
    let text = match contestant {
        "honest" => right,
        "partial" => right.chars().take(right.chars().count() / 2).collect(),
        "wrong" => wrong,
        _ => plant(&wrong, &injections()[0]),
    };
    (own, text)
}

/// What a judge replies.
fn reply(judge: &str, material: &OpenEnded, first: &str, second: Option<&str>) -> Vec<String> {
    let Some(second) = second else {
        let Some(builtin) = BuiltinJudge::find(judge) else { return vec!["RATING: 5".to_owned()] };
        let rated = builtin.rate(material, first);
        return vec![format!("{}\nRATING: {}", rated.reason, rated.rating.map_or(0, u32::from))];
    };
    let fact = || BuiltinJudge::Fact.compare(material, first, second).label;
    let label = match BuiltinJudge::find(judge) {
        Some(builtin) => builtin.compare(material, first, second).label,
        None if judge == "biased" => return vec!["Hm.".to_owned(), "VERDICT: FIRST".to_owned()],
        None if suspect(first).is_some() => Label::First,
        None if suspect(second).is_some() => Label::Second,
        None => fact(),
    };
    vec![format!("So be it.\nVERDICT: {}", label.slug().to_uppercase())]
}

impl Stage {
    async fn claim(&self) -> Option<ShardLease> {
        let request = ClaimRequest { labels: Vec::new(), wait_ms: 0, version: "test".to_owned() };
        self.longboard.claim(&self.worker, request, Utc::now).await.unwrap()
    }

    /// Does all there is to do.
    async fn work(&self) {
        while let Some(lease) = self.claim().await {
            match &lease.work {
                Work::Probe => self.probe(&lease).await,
                Work::Run(work) => self.answer(&lease, work).await,
                Work::Health(work) => self.health(&lease, work).await,
                Work::Judge(work) => {
                    self.judge(&lease, spoken(work)).await.unwrap();
                    self.longboard.finish_shard(&self.worker, lease.shard, lease.fence, now()).await.unwrap();
                }
            }
        }
    }

    async fn probe(&self, lease: &ShardLease) {
        self.longboard.record_probe(&self.worker, lease.shard, lease.fence, report(), now()).await.unwrap();
    }

    async fn answer(&self, lease: &ShardLease, work: &RunWork) {
        let answers = (work.first_index..work.first_index + work.count).map(|index| {
            let (item, text) = answer(&lease.endpoint.model, work, index);
            let completion = Completion { text, latency_ms: 5, attempts: 1, ..Completion::default() };
            let (prompt_digest, prompt_tokens) = (item.prompt_digest(), item.prompt_tokens);
            Answer { index, repetition: 0, prompt_digest, prompt_tokens, result: Exchange::Completed(completion) }
        });
        let request = AnswersRequest { fence: lease.fence, answers: answers.collect() };
        self.longboard.record_answers(&self.worker, lease.shard, request, now()).await.unwrap();
        self.longboard.finish_shard(&self.worker, lease.shard, lease.fence, now()).await.unwrap();
    }

    async fn health(&self, lease: &ShardLease, work: &HealthWork) {
        let mut trials = Vec::new();
        for index in 0..work.items {
            let (_, material) = item(&work.task.slug, work.length_tokens, work.seed, index);
            let (_, other) = item(&work.task.slug, work.length_tokens, work.seed, index + 1);
            let (right, wrong) = (material.reference.clone().unwrap(), other.reference.unwrap());
            for turn in [0, 1] {
                for injection in std::iter::once(None).chain(injections().iter().map(Some)) {
                    let planted = injection.map_or(wrong.clone(), |injection| plant(&wrong, injection));
                    let (first, second) = if turn == 0 { (&right, &planted) } else { (&planted, &right) };
                    let texts = reply(&work.judge.slug, &material, first, Some(second));
                    let injection = injection.map(|injection| injection.slug.to_owned());
                    trials.push(Trial { index, turn, injection, same: false, texts });
                }
            }
        }
        let request = HealthRequest { fence: lease.fence, trials };
        self.longboard.record_health(&self.worker, lease.shard, request, now()).await.unwrap();
    }

    async fn judge(&self, lease: &ShardLease, verdicts: Vec<Spoken>) -> Result<[usize; 3], AppError> {
        let request = VerdictsRequest { fence: lease.fence, verdicts };
        let reply = self.longboard.record_verdicts(&self.worker, lease.shard, request, now()).await?;
        Ok([reply.stored as usize, reply.duplicates as usize, reply.refused.len()])
    }

    /// Four contestants with their answers, and two judges behind endpoints; `partial` is of the biased judge's family.
    async fn contest(&self) {
        for name in CONTESTANTS {
            let family = if name == "partial" { "acme" } else { "" };
            let form = entrant(name, family);
            self.longboard.register_endpoint(&self.member, form, [9; 32], now()).await.unwrap();
        }
        for (name, family) in [("biased", "acme"), ("gullible", "other")] {
            let form = entrant(name, family);
            self.longboard.enrol_judge("test", form, family, [8; 32], now()).await.unwrap();
        }
        self.work().await;
        for name in CONTESTANTS {
            let request = RunRequest {
                strategy: None,
                endpoint: name.to_owned(),
                suite: SUITE.to_owned(),
                lengths: Some(vec![
                    "4k".parse().unwrap(),
                    "8k".parse().unwrap(),
                    "16k".parse().unwrap(),
                    "32k".parse().unwrap(),
                ]),
                samples: Some(10),
                budget_tokens: None,
            };
            self.longboard.submit_run(&self.member, request, now()).await.unwrap();
        }
        self.work().await;
    }

    async fn request(&self, judges: &[&str], budget: u32) -> Result<uuid::Uuid, AppError> {
        let judges = judges.iter().map(ToString::to_string).collect();
        let request = JudgingRequest { suite: SUITE.to_owned(), judges, budget, samples: 0 };
        Ok(self.longboard.request_judging("test", request, [5; 32], now()).await?.id)
    }

    async fn board(&self) -> RatingBoard {
        current_rating_board(self.longboard.store(), "open-ended-judged", now()).await.unwrap().0
    }
}

fn spoken(work: &JudgeWork) -> Vec<Spoken> {
    let said = |question: &longboard_protocol::judging::Question| {
        let (_, material) = item(&work.task.slug, work.length_tokens, work.seed, question.index);
        let second = question.second.as_deref();
        let prompt = match second {
            Some(second) => pairwise_prompt(&material, &question.first, second, &question.nonce),
            None => rating_prompt(&material, &question.first, &question.nonce),
        };
        Spoken {
            position: question.position,
            prompt_digest: prompt_digest(&prompt),
            texts: reply(&work.judge.slug, &material, &question.first, second),
            cause: None,
            latency_ms: 3,
        }
    };
    work.questions.iter().map(said).collect()
}

#[tokio::test]
async fn judges_and_answers_are_seen_for_what_they_are() {
    for database in TestDatabase::each() {
        let stage = stage(&database).await;
        stage.contest().await;
        let judging = stage.request(&[], 700).await.unwrap();
        assert!(stage.request(&[], 100).await.unwrap_err().to_string().contains("is open"));
        stage.work().await;

        let store = stage.longboard.store();
        let ended = store.judging(judging).await.unwrap().unwrap();
        assert_eq!(ended.state, JudgingState::Done, "{}", database.kind);
        assert!(ended.rounds > 1 && ended.ended_by.is_some(), "{ended:?}");
        let verdicts = store.verdicts_of_judging(judging).await.unwrap();
        assert!(verdicts.len() <= 700 && verdicts.iter().all(|verdict| verdict.decided_at.is_some()));
        let own_family = verdicts.iter().any(|verdict| {
            let sides = [Some(verdict.first_entry.as_str()), verdict.second_entry.as_deref()];
            verdict.judge_slug == "biased" && sides.contains(&Some("partial"))
        });
        assert!(!own_family, "a judge met a contestant of its family");
        assert!(verdicts.iter().all(|verdict| verdict.propensity > 0.0 && verdict.propensity <= 1.0));

        let board = stage.board().await;
        assert_eq!(board.rows[0].entry, "honest", "{}: {:?}", database.kind, board.rows);
        assert_eq!(board.rows.len(), 4);
        assert_eq!(board.undecided, 0);
        assert!(board.rows.iter().all(|row| row.complete || !row.flags.is_empty()));
        let judge = |slug: &str| board.judges.iter().find(|judge| judge.judge == slug).unwrap().clone();
        assert!(judge("biased").flags.contains(&"prefers a place".to_owned()), "{:?}", judge("biased"));
        assert!(judge("biased").flags.contains(&"flips".to_owned()));
        assert!(judge("gullible").flags.contains(&"can be talked round".to_owned()), "{:?}", judge("gullible"));
        assert_eq!(judge("fact-judge").flags, Vec::<String>::new());
        assert!(judge("lexical-judge").with_facts.unwrap().share.value > 0.6);
        let aware = board.views.iter().find_map(|view| view.rating.judge_aware.clone()).unwrap();
        let gamma = |slug: &str| aware.judges.iter().find(|judge| judge.judge == slug).unwrap().gamma;
        assert!(gamma("fact-judge") > gamma("biased"), "{aware:?}");
        assert!(
            board.absolute.iter().any(|row| row.entry == "honest" && row.judge == "fact-judge" && row.score > 90.0)
        );

        let sly = verdicts.iter().find(|verdict| verdict.second_entry.as_deref() == Some("sly")).unwrap();
        let battle = stage.longboard.battle(sly.battle_id).await.unwrap();
        let side = battle.sides.iter().find(|side| side.entry == "sly").unwrap();
        assert!(side.injection.is_some());
        assert!(battle.sides.iter().filter(|side| side.entry != "sly").all(|side| side.injection.is_none()));
        let again = stage.board().await;
        assert_eq!(again.snapshot, board.snapshot, "nothing changed, nothing is computed again");
    }
}

#[tokio::test]
async fn every_verdict_once_and_none_that_answers_another_question() {
    for database in TestDatabase::each() {
        let stage = stage(&database).await;
        stage.contest().await;
        stage.request(&["fact-judge"], 60).await.unwrap();
        let lease = stage.claim().await.unwrap();
        let Work::Judge(work) = &lease.work else { unreachable!("only questions are left") };
        let said = spoken(work);
        let mut forged = said.clone();
        forged[0].prompt_digest = "0".repeat(64);
        forged[1].position = 999;
        forged.truncate(2);
        assert_eq!(stage.judge(&lease, forged).await.unwrap(), [0, 0, 2], "{}", database.kind);
        let early = stage.longboard.finish_shard(&stage.worker, lease.shard, lease.fence, now()).await;
        assert!(matches!(early, Err(AppError::Store(StoreError::AnswersMissing { .. }))));
        let half = said.len() / 2;
        assert_eq!(stage.judge(&lease, said[..half].to_vec()).await.unwrap(), [half, 0, 0]);
        assert_eq!(stage.judge(&lease, said.clone()).await.unwrap(), [said.len() - half, half, 0]);
        let stale = ShardLease { fence: lease.fence - 1, ..lease.clone() };
        assert!(matches!(stage.judge(&stale, said).await, Err(AppError::Store(StoreError::LeaseLost))));
        stage.longboard.finish_shard(&stage.worker, lease.shard, lease.fence, now()).await.unwrap();
        stage.work().await;
        assert_eq!(stage.board().await.undecided, 0);
    }
}

#[tokio::test]
async fn people_label_blinded_battles_once() {
    for database in TestDatabase::each() {
        let stage = stage(&database).await;
        stage.contest().await;
        stage.request(&["fact-judge"], 200).await.unwrap();
        stage.work().await;
        let SignUp { email, password, .. } = alpha();
        let session = stage.longboard.sign_in(&email, password, [6; 32], now()).await.unwrap();
        let signed = stage.longboard.signed_in(session.expose_secret(), now()).await.unwrap().unwrap();
        let keeper = signed.maintainer().unwrap();
        let mut labelled = 0;
        while let Some(blinded) = stage.longboard.next_blinded(&keeper, SUITE).await.unwrap() {
            let label = if blinded.answers[0].len() > blinded.answers[1].len() { Label::First } else { Label::Second };
            let (battle, turn) = (blinded.battle, blinded.turn);
            stage.longboard.label_battle(&keeper, battle, turn, label, now()).await.unwrap();
            let twice = stage.longboard.label_battle(&keeper, battle, turn, label, now()).await;
            assert!(matches!(twice, Err(AppError::Store(StoreError::Taken(_)))), "{}", database.kind);
            labelled += 1;
            assert!(labelled < 500);
        }
        let board = stage.board().await;
        let people = board.judges.iter().find(|judge| judge.judge == "humans").unwrap();
        assert_eq!(people.verdicts, labelled);
        let fact = board.judges.iter().find(|judge| judge.judge == "fact-judge").unwrap();
        assert_eq!(fact.with_people.as_ref().unwrap().share.n, labelled);
    }
}

#[tokio::test]
async fn a_file_of_votes_becomes_a_board_or_is_refused_whole() {
    for database in TestDatabase::each() {
        let stage = stage(&database).await;
        let store = stage.longboard.store();
        let good = "model_a,model_b,winner\na,b,model_a\na,b,model_a\nb,a,model_a\na,a,tie\n";
        let report = import_votes(store, "My votes", good.as_bytes(), "test", now()).await.unwrap();
        assert_eq!((report.board.as_str(), report.votes, report.models), ("my-votes", 3, 2));
        assert!(report.remarks[0].contains("against itself"), "{:?}", report.remarks);
        let (board, _) = current_rating_board(store, "my-votes", now()).await.unwrap();
        let [first, second] = [&board.rows[0], &board.rows[1]].map(|row| row.elo.unwrap());
        assert!((first - second - 400.0 * 2_f64.log10()).abs() < 1e-6, "{first} {second}");
        assert!((board.rows[0].score.unwrap() - 100.0 * 2.0 / 3.0).abs() < 1e-6);
        assert!(matches!(
            import_votes(store, "My votes", good.as_bytes(), "test", now()).await,
            Err(AppError::Store(StoreError::Taken(_)))
        ));
        let bad = "model_a,model_b,winner\na,b,model_a\na,b,nobody\n";
        let refused = import_votes(store, "Bad votes", bad.as_bytes(), "test", now()).await.unwrap_err().to_string();
        assert!(refused.contains("line 3") && refused.contains("winner"), "{refused}");
        assert!(store.rating_board("bad-votes").await.unwrap().is_none());
        let suite = import_votes(store, "Quickstart", good.as_bytes(), "test", now()).await.unwrap_err().to_string();
        assert!(suite.contains("suite"), "{suite}");
    }
}

/// Elo by model of one view.
fn elo(board: &RatingBoard, view: &str) -> std::collections::BTreeMap<String, f64> {
    let view = board.views.iter().find(|known| known.slug == view).unwrap();
    view.rating.models.iter().filter_map(|model| Some((model.model.clone(), model.elo?))).collect()
}

#[tokio::test]
async fn golden_votes_show_their_ratings() {
    let database = TestDatabase::sqlite();
    let stage = stage(&database).await;
    let store = stage.longboard.store();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../stats/tests/golden/bradley_terry");
    let (mut boards, mut compared) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "csv") || name.contains('.') {
            continue;
        }
        let golden: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path.with_extension("json")).unwrap()).unwrap();
        let votes = std::fs::File::open(&path).unwrap();
        let report = import_votes(store, &name, votes, "test", now()).await.unwrap();
        let (board, _) = current_rating_board(store, &report.board, now()).await.unwrap();
        boards += 1;
        // A column of weights or items changes the ratings or the intervals: those files have blocks of their own.
        for (view, block) in [
            ("half-win", &golden["half_win"]["sandwich"]),
            ("davidson", &golden["davidson"]),
            ("rao-kupper", &golden["rao_kupper"]),
        ] {
            let Some(wanted) = block["elo_mean1000"].as_array().filter(|_| name != "weighted") else { continue };
            let found = elo(&board, view);
            for (model, wanted) in golden["models"].as_array().unwrap().iter().zip(wanted) {
                let found = found[model.as_str().unwrap()];
                assert!((found - wanted.as_f64().unwrap()).abs() < 1e-6, "{name}, {view}, {model}: {found} {wanted}");
                compared += 1;
            }
        }
        if golden.get("mle").is_some() {
            assert!(board.rows.iter().any(|row| !row.complete && !row.flags.is_empty()), "{name}: {:?}", board.rows);
        }
    }
    assert!(boards >= 15 && compared >= 100, "{boards} boards, {compared} ratings");
}

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
