use longboard_refmodel::config::*;
use longboard_refmodel::decoder::Decoder;
use longboard_refmodel::rope::RopeScaling;
use longboard_refmodel::tokenizer::Tokenizer;
use longboard_refmodel::train::{lesson::*, start, trainer::*};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let steps: usize = args[1].parse().unwrap();
    let length: usize = args[2].parse().unwrap();
    let batch: usize = args[3].parse().unwrap();
    let rate: f64 = args[4].parse().unwrap();
    let out = &args[5];
    let resume = args.get(6);
    let path = std::path::Path::new("/tmp/tok.json");
    if !path.exists() {
        let texts = Teacher::reading(150, 1).unwrap();
        let t = Tokenizer::learn(&texts, 2048).unwrap();
        std::fs::write(path, t.to_json().unwrap()).unwrap();
    }
    let tok = Tokenizer::open(path).unwrap();
    let local = LayerKind { window: Some(32), rope: true };
    let global = LayerKind { window: None, rope: false };
    let config = ModelConfig { vocab_size: tok.size(), hidden_size: 128, intermediate_size: 256, heads: 4, kv_heads: 4, head_dim: 32,
        layers: vec![local, global, local, global], norm_eps: 1e-5, norm: Norm::Rms, rope_theta: 100.0, rope_scaling: RopeScaling::Plain, rope_interleaved: false,
        max_positions: 1024, tied: true, qkv_bias: true, output_bias: false, qk_norm: false, parallel: false, logit_scale: 1.0, log_n_from: Some(256) };
    let weights = start::weights(&config, 1).unwrap();
    if let Some(p) = resume {
        let t = candle_core::safetensors::load(p, &candle_core::Device::Cpu).unwrap();
        for (n, v) in &weights { v.set(&t[n]).unwrap(); }
    }
    println!("vocab {} params {}", tok.size(), weights.values().map(|v| v.elem_count()).sum::<usize>());
    let teacher = Teacher::new(&tok).unwrap();
    for s in Subject::ALL {
        let l = teacher.lesson(s, 3, length).unwrap();
        println!("{} {} {:?}", s.slug(), l.ids.len(), l.answers);
        println!("{}", tok.decode(&l.ids));
        println!("{:?}", l.answers.iter().map(|a| tok.decode(&l.ids[a.clone()])).collect::<Vec<_>>());
    }
    let decoder = Decoder::assemble(config, |name, _| Ok(weights[name].as_tensor().clone())).unwrap();
    let mix: Vec<f64> = std::env::var("MIX").unwrap_or("2,1.5,2.5,2,2".into()).split(',').map(|x| x.parse().unwrap()).collect();
    let phase = Phase { steps, length, batch, rate: (rate, rate * std::env::var("END").ok().map_or(0.1, |x| x.parse().unwrap())), mixture: mix.try_into().unwrap() };
    let begin = std::time::Instant::now();
    let mut sums = std::collections::BTreeMap::<Subject, (usize, usize)>::new();
    let mut loss = 0.0;
    let seed: u64 = std::env::var("SEED").ok().map_or(1, |x| x.parse().unwrap());
    train(&decoder, &weights, &tok, &[phase], seed, |p| {
        for (s, (r, n)) in &p.answers { let e = sums.entry(*s).or_default(); e.0 += r; e.1 += n; }
        loss += p.loss;
        if p.step % 20 == 0 {
            let a: Vec<String> = sums.iter().map(|(s, (r, n))| format!("{} {:.2}", s.slug(), *r as f64 / *n as f64)).collect();
            println!("{:5} {:6.0}s loss {:.3}  {}", p.step, begin.elapsed().as_secs_f64(), loss / 20.0, a.join("  "));
            sums.clear(); loss = 0.0;
        }
        if p.step % 100 == 0 {
            let t: std::collections::HashMap<String, candle_core::Tensor> = weights.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
            candle_core::safetensors::save(&t, out).unwrap();
        }
        Ok(true)
    }).unwrap();
}
