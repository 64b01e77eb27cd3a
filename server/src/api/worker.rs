//! The worker API. See `longboard_protocol::worker`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig, post, scope};
use chrono::Utc;
use longboard_app::Longboard;
use longboard_protocol::judging::{HealthRequest, VerdictsRequest};
use longboard_protocol::worker::{
    AnswersRequest, ClaimRequest, DocumentsRequest, FailRequest, FinishRequest, ProbeRequest, RenewRequest,
};
use uuid::Uuid;

use crate::caller::WorkerCaller;
use crate::refusal::ApiError;

type Reply = Result<HttpResponse, ApiError>;

/// Everything below `/api/v1/worker`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(
        scope("/api/v1/worker")
            .route("/claim", post().to(claim))
            .route("/shards/{id}/renew", post().to(renew))
            .route("/shards/{id}/answers", post().to(answers))
            .route("/shards/{id}/documents", post().to(documents))
            .route("/shards/{id}/probe", post().to(probe))
            .route("/shards/{id}/verdicts", post().to(verdicts))
            .route("/shards/{id}/health", post().to(health))
            .route("/shards/{id}/finish", post().to(finish))
            .route("/shards/{id}/fail", post().to(fail)),
    );
}

async fn claim(caller: WorkerCaller, request: Json<ClaimRequest>, longboard: Data<Longboard>) -> Reply {
    let lease = longboard.claim(&caller.0, request.into_inner(), Utc::now).await?;
    Ok(lease.map_or_else(|| HttpResponse::NoContent().finish(), |lease| HttpResponse::Ok().json(lease)))
}

async fn renew(
    caller: WorkerCaller,
    shard: Path<Uuid>,
    request: Json<RenewRequest>,
    longboard: Data<Longboard>,
) -> Reply {
    Ok(HttpResponse::Ok().json(longboard.renew(&caller.0, *shard, &request, Utc::now()).await?))
}

async fn answers(
    caller: WorkerCaller,
    shard: Path<Uuid>,
    request: Json<AnswersRequest>,
    longboard: Data<Longboard>,
) -> Reply {
    Ok(HttpResponse::Ok().json(longboard.record_answers(&caller.0, *shard, request.into_inner(), Utc::now()).await?))
}

async fn documents(
    caller: WorkerCaller,
    shard: Path<Uuid>,
    request: Json<DocumentsRequest>,
    longboard: Data<Longboard>,
) -> Reply {
    Ok(HttpResponse::Ok().json(longboard.shard_documents(&caller.0, *shard, request.into_inner()).await?))
}

async fn probe(
    caller: WorkerCaller,
    shard: Path<Uuid>,
    request: Json<ProbeRequest>,
    longboard: Data<Longboard>,
) -> Reply {
    let request = request.into_inner();
    longboard.record_probe(&caller.0, *shard, request.fence, request.report, Utc::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn verdicts(
    caller: WorkerCaller,
    shard: Path<Uuid>,
    request: Json<VerdictsRequest>,
    longboard: Data<Longboard>,
) -> Reply {
    Ok(HttpResponse::Ok().json(longboard.record_verdicts(&caller.0, *shard, request.into_inner(), Utc::now()).await?))
}

async fn health(
    caller: WorkerCaller,
    shard: Path<Uuid>,
    request: Json<HealthRequest>,
    longboard: Data<Longboard>,
) -> Reply {
    longboard.record_health(&caller.0, *shard, request.into_inner(), Utc::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn finish(
    caller: WorkerCaller,
    shard: Path<Uuid>,
    request: Json<FinishRequest>,
    longboard: Data<Longboard>,
) -> Reply {
    longboard.finish_shard(&caller.0, *shard, request.fence, Utc::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn fail(
    caller: WorkerCaller,
    shard: Path<Uuid>,
    request: Json<FailRequest>,
    longboard: Data<Longboard>,
) -> Reply {
    longboard.fail_shard(&caller.0, *shard, request.into_inner(), Utc::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
