"""Official Python scorers on the texts of `benches/metrics.rs`: microseconds of CPU per call, and whether scores agree.

    pip install rouge==1.0.1 rouge_score==0.1.2 rouge_chinese==1.0.3 jieba==0.42.1 fuzzywuzzy==0.18.0 nltk
    LONGBOARD_BENCH_INPUTS=/tmp/inputs.jsonl cargo bench -p longboard-suites --bench metrics
    python crates/suites/benches/peers/metrics.py /tmp/inputs.jsonl target/criterion

Packages are called as the benchmarks call them; the few lines that benchmarks put around them (LongBench's `metrics.py`,
LooGLE's and M4LE's scripts) are written here from their definitions.
"""

import collections
import json
import pathlib
import re
import string
import sys
import time
import warnings

warnings.simplefilter("ignore")

import jieba
import nltk.translate.bleu_score
import rouge
import rouge_chinese
import rouge_score.rouge_scorer
from fuzzywuzzy import fuzz

MARKS_ZH = (
    "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏."
)
PUNCTUATION = set(string.punctuation)
PUNCTUATION_ZH = set(string.punctuation + MARKS_ZH)


def f1(candidate, reference):
    common = sum((collections.Counter(candidate) & collections.Counter(reference)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(candidate), common / len(reference)
    return 2 * precision * recall / (precision + recall)


def normalise(text):
    text = "".join(scalar for scalar in text.lower() if scalar not in PUNCTUATION)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def normalise_zh(text):
    return "".join("".join(scalar for scalar in text.lower() if scalar not in PUNCTUATION_ZH).split())


def token_f1(candidate, reference):
    return f1(normalise(candidate).split(), normalise(reference).split())


def f1_zh(candidate, reference):
    read = lambda text: [word for word in map(normalise_zh, jieba.cut(text, cut_all=False)) if word]
    return f1(read(candidate), read(reference))


def rouge_all(candidate, reference):
    scores = rouge.Rouge().get_scores([candidate], [reference], avg=True)
    return scores["rouge-1"]["f"] + scores["rouge-2"]["f"] + scores["rouge-l"]["f"]


def rouge_l(candidate, reference):
    return rouge.Rouge(metrics=["rouge-l"]).get_scores([candidate], [reference], avg=True)["rouge-l"]["f"]


def rouge_l_zh(candidate, reference):
    return rouge_l(" ".join(jieba.cut(candidate)), " ".join(jieba.cut(reference)))


def rouge_chinese_l(candidate, reference):
    scorer = rouge_chinese.Rouge(metrics=["rouge-l"])
    return scorer.get_scores(" ".join(jieba.cut(candidate)), " ".join(jieba.cut(reference)))[0]["rouge-l"]["f"]


def scored(name, stemmer):
    scorer = rouge_score.rouge_scorer.RougeScorer([name], use_stemmer=stemmer)
    return lambda candidate, reference: scorer.score(reference, candidate)[name].fmeasure


def bleu(candidate, reference):
    sentence = nltk.translate.bleu_score.sentence_bleu
    words = candidate.split(), reference.split()
    return sum(sentence([words[1]], words[0], weights=weights) for weights in [(1, 0, 0, 0), (0, 0, 0, 1)])


def edit_similarity(candidate, reference):
    lines = candidate.lstrip("\n").split("\n")
    line = next((line for line in lines if "`" not in line and "#" not in line and "//" not in line), "")
    return fuzz.ratio(line, reference) / 100


PEERS = {
    "token_f1": token_f1,
    "rouge_all": rouge_all,
    "rouge_l": rouge_l,
    "scored_1": scored("rouge1", False),
    "scored_2": scored("rouge2", False),
    "scored_l": scored("rougeL", False),
    "scored_lsum": scored("rougeLsum", False),
    "stemmed_1": scored("rouge1", True),
    "stemmed_2": scored("rouge2", True),
    "stemmed_l": scored("rougeL", True),
    "stemmed_lsum": scored("rougeLsum", True),
    "bleu": bleu,
    "edit_similarity": edit_similarity,
    "f1_zh": f1_zh,
    "rouge_l_zh": rouge_l_zh,
    "rouge_chinese": rouge_chinese_l,
}


def timed(peer, pairs):
    """Scores, and the least CPU seconds of a call over up to five passes or two seconds."""
    least, spent, passes = float("inf"), 0.0, 0
    while passes == 0 or (passes < 5 and spent < 2):
        start = time.process_time()
        scores = [peer(candidate, reference) for candidate, reference in pairs]
        taken = time.process_time() - start
        least, spent, passes = min(least, taken / len(pairs)), spent + taken, passes + 1
    return scores, least


def main(inputs, criterion):
    sys.setrecursionlimit(100_000)
    jieba.setLogLevel(60)
    jieba.initialize()
    rows = [json.loads(line) for line in open(inputs, encoding="utf-8")]
    print(f"{'metric':16} {'words':>5} {'peer us':>12} {'ours us':>10} {'ratio':>8} {'largest difference':>20}")
    wrong = 0
    for words in sorted({row["words"] for row in rows}):
        for name in sorted({name for row in rows for name in row["scores"]}):
            own = [row for row in rows if row["words"] == words and name in row["scores"]]
            path = pathlib.Path(criterion) / "metric" / name / str(words) / "new" / "estimates.json"
            ours = json.loads(path.read_text())["median"]["point_estimate"] / 1000 / len(own)
            if name not in PEERS:
                print(f"{name:16} {words:5} {'':12} {ours:10.1f}")
                continue
            line = (lambda text: text.replace("\n", " ")) if name == "edit_similarity" else (lambda text: text)
            pairs = [(line(row["candidate"]), line(row["reference"])) for row in own]
            scores, seconds = timed(PEERS[name], pairs)
            largest = max(abs(score - row["scores"][name]) for score, row in zip(scores, own))
            wrong += largest > 1e-12
            micros = seconds * 1e6
            print(f"{name:16} {words:5} {micros:12.1f} {ours:10.1f} {micros / ours:8.1f} {largest:20.1e}", flush=True)
    sys.exit(f"{wrong} metrics differ" if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:3])
