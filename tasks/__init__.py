"""The only rooms that know Prefect, storage and MLflow; one verb each, none imports another.

`storage` opens stores, `ledger` keeps claims, records, manifests and the champion, `attempt`
gathers one night's record. `scanning` lists what stands at the source, `ingestion` turns objects
into rows, `validating` tells what is wrong with them. `tuning` runs screening, studies and final
fits, `varying` one-factor variants, `judging` compares on the holdout, `registry` keeps and
promotes models. `predicting` puts a kept model to work outside of nights. `tracking` writes MLflow,
`reporting` the pages, `states` a Prefect state; `home` says where all of it lies, and `tidying`
removes what no later night reads.
"""
