"""The numbers behind a verdict: pure functions of floats; no models, no verdicts on probes, no settings.

| question | function |
|---|---|
| a mean, items possibly in groups | :func:`.intervals.mean_interval`, :func:`.intervals.one_sided` |
| a mean against zero | :func:`.paired.paired_t`, :func:`.paired.sign_flip_p` |
| a mean against a margin | :func:`.noninferiority.not_above`, ``not_below``, ``equivalent`` |
| a rate, and against a limit | :func:`.rates.rate_interval`, :func:`.rates.rate_not_above` |
| flips both ways | :func:`.rates.mcnemar_exact` |
| a ratio of paired means | :func:`.ratio.mean_ratio` |
| a line, a half-life | :func:`.trend.slope`, :func:`.trend.half_life` |
| against null adapters | :func:`.rank.rank_p`, :func:`.rank.prediction_p` |
| several tests at once | :func:`.multiplicity.adjust` |
| what could have been found | :func:`.power.minimum_detectable`, ``minimum_detectable_rate``, ``items_needed`` |
| anything else | :func:`.bootstrap.bca_interval` |
"""
