//! Two buses over one Redis.

use std::time::Duration;

use chrono::Utc;
use longboard_bus::{Admission, Bell, Bus, BusError};
use longboard_testkit::database::redis_url;
use uuid::Uuid;

#[tokio::test]
async fn a_bell_rings_in_the_other_process() {
    let (one, other) = (Bus::over_redis(&redis_url()).await.unwrap(), Bus::over_redis(&redis_url()).await.unwrap());
    let (bell, mut listener) = (Bell::Run(Uuid::new_v4()), other.listen());
    let heard = async {
        let mut again = tokio::time::interval(Duration::from_millis(50));
        let mut hear = std::pin::pin!(listener.hear(|heard| heard == bell));
        loop {
            tokio::select! {
                () = &mut hear => return,
                _ = again.tick() => one.ring(bell),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), heard).await.unwrap();
}

#[tokio::test]
async fn a_window_is_shared() {
    let (one, other) = (Bus::over_redis(&redis_url()).await.unwrap(), Bus::over_redis(&redis_url()).await.unwrap());
    let key = Uuid::new_v4().to_string();
    let minute = Duration::from_secs(60);
    assert_eq!(one.admit(&key, 2, minute, Utc::now()).await, Admission::Admitted);
    assert_eq!(other.admit(&key, 2, minute, Utc::now()).await, Admission::Admitted);
    assert!(matches!(one.admit(&key, 2, minute, Utc::now()).await, Admission::Wait(left) if left <= minute));
}

#[tokio::test]
async fn a_wrong_address_is_named_without_its_password() {
    let Err(error) = Bus::over_redis("http://user:hush@host").await else { panic!("connected") };
    assert!(matches!(error, BusError::BadUrl(_)) && !error.to_string().contains("hush"), "{error}");
}
