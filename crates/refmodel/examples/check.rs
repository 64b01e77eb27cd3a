use longboard_refmodel::config::*;
use longboard_refmodel::decoder::Decoder;
use longboard_refmodel::model::*;
use longboard_refmodel::policy::Card;
use longboard_refmodel::rope::RopeScaling;
use longboard_refmodel::tokenizer::Tokenizer;
use longboard_suites::{length::Length, task::*};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let tok = Tokenizer::open(std::path::Path::new("/tmp/tok.json")).unwrap();
    let local = LayerKind { window: Some(32), rope: true };
    let global = LayerKind { window: None, rope: false };
    let config = ModelConfig { vocab_size: tok.size(), hidden_size: 128, intermediate_size: 256, heads: 4, kv_heads: 4, head_dim: 32,
        layers: vec![local, global, local, global], norm_eps: 1e-5, norm: Norm::Rms, rope_theta: 100.0, rope_scaling: RopeScaling::Plain, rope_interleaved: false,
        max_positions: 1024, tied: true, qkv_bias: true, output_bias: false, qk_norm: false, parallel: false, logit_scale: 1.0, log_n_from: Some(256) };
    let t = candle_core::safetensors::load(&args[1], &candle_core::Device::Cpu).unwrap();
    let decoder = Decoder::assemble(config, |n, _| Ok(t[n].clone())).unwrap();
    let policy = args.get(5).map_or("dense", |x| x.as_str());
    let card = Card::find(policy).unwrap();
    let model = Model::new(decoder, tok, card.build(&card.settings(&[]).unwrap()));
    let length: Length = Length::new(args[2].parse().unwrap()).unwrap();
    let n: u32 = args[3].parse().unwrap();
    let th = Task::new(TaskDefinition { slug: "thread".into(), version: 1, title: "t".into(), family: "needle_threading".into(), params: serde_json::json!({"kind":"threading","steps":3}).as_object().unwrap().clone() }).unwrap();
    for slug in args[4].split(',') {
        let task = if slug == "thread" { &th } else { Task::find(slug).unwrap() };
        let begin = std::time::Instant::now();
        let mut score = 0.0; let mut shown = 0; let mut tokens = 0;
        for index in 0..n {
            let item = task.family().generate(task, &ItemRequest { seed: 77, index, length, corpus: None }).unwrap();
            let ids = model.encode(&item.messages).unwrap();
            tokens += ids.len();
            let answer = model.tokenizer.decode(&model.generate(&ids, item.output_tokens as usize).unwrap());
            let s = task.score(&item, &answer).score;
            score += s;
            if s < 1.0 && shown < 3 { shown += 1; println!("  {:?} wanted {:?} depth {:?}", answer, item.references, item.needles.iter().map(|n| (n.depth*100.0) as i32).collect::<Vec<_>>()); }
        }
        println!("{slug} {length} {policy}: {:.1} ({} tokens) {:.2}s each", 100.0 * score / n as f64, tokens / n as usize, begin.elapsed().as_secs_f64() / n as f64);
    }
}
