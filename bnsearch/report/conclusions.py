"""What confirm and final found, in plain words."""

from bnsearch.report.words import Row, interval, listed, percent, setting

Finding = tuple[str, str]  # a label and a sentence


def confirm_findings(verdict: Row) -> list[Finding]:
    """The choice, how sure it is, and what would make it surer."""
    found = [
        ("Chosen", setting(verdict["params"])),
        ("", f"Its expected accuracy on new validation rows is {percent(verdict['estimate'])}."),
    ]
    default = next((f for f in verdict["finalists"] if f["default"]), None)
    known = next((f["difference_interval"] for f in verdict["finalists"] if f["difference_interval"]), None)
    if known is not None:
        chance = f"{50 * (known[1] - known[0]):.2f} points"
        found.append(("", f"A lead of less than {chance} may be chance (simultaneous 95 %)."))
    tied = [
        f for f in verdict["finalists"] if not (f["separable"] or f["default"] or f["finalist"] == verdict["winner"])
    ]
    if tied:
        names = listed([f"{f['stage']} {f['trial']}" for f in tied])
        found.append(
            ("", f"Within the noise of {verdict['n_repeats']} repeats, {names} do{'es' * (len(tied) == 1)} as well.")
        )
    if default is None:
        found.append(("", "The study file's default setting diverged or failed."))
    elif verdict["winner_is_default"]:
        found.append(("", "It is the study file's default setting."))
    elif default["separable"]:
        found.append(("", f"It beats the study file's default by {100 * default['behind_best']:.2f} points."))
    elif default["repeats_needed"]:
        enough = f"about {default['repeats_needed']} repeats may tell"
        found.append(("", f"The default does as well within the noise; {enough}."))
    else:
        found.append(("", "The default does as well within the noise: not worth more repeats."))
    luck = verdict["optimism"]
    if luck and luck["value"] > luck["standard_error"]:
        points = f"{100 * luck['value']:.2f} ± {100 * luck['standard_error']:.2f} points"
        found.append(("", f"The search flattered its lead over the default by {points}."))
    if verdict.get("not_comparable"):
        found.append(("", f"Its lead is not comparable with the search: {verdict['not_comparable']}."))
    if verdict["diverged"]:
        n = len(verdict["diverged"])
        found.append(("", f"{n} finalist{'s' * (n > 1)} diverged or failed in some repeat and cannot be chosen."))
    return found


def final_findings(result: Row) -> list[Finding]:
    """What the test set showed, and of which networks."""
    accuracy, seeds = result["test_accuracy"], result["test_accuracy_over_seeds"]
    found = [
        ("Test", f"{percent(accuracy['mean'])} accuracy; 95 % interval {interval(accuracy)} over new images,"),
        ("", f"{interval(seeds)} over seeds on these {result['n_test']:,} images."),
        ("", f"These are {len(accuracy['per_seed'])} networks with {setting(result['params'])},"),
        ("", f"trained on {result['n_train']:,} rows; look {result['look']} at this test set in this database."),
    ]
    together, by = result.get("ensemble"), result.get("test_accuracy_by_statistics")
    if together:
        alone = f"{interval(together)} over new images alone"
        found.append(("Ensemble", f"{percent(together['accuracy'])} by mean probabilities; {alone}."))
    if by:
        other = next(name for name in by if name != result["bn_statistics"])
        both = f"{result['bn_statistics']} moments; with {other} moments {percent(by[other])}"
        found.append(("", f"The headline is with {both}."))
    if result["n_diverged"]:
        n = result["n_diverged"]
        who, whom = (f"{n} more networks", "them") if n > 1 else ("1 more network", "it")
        found.append(("", f"{who} diverged or failed, and no figure is about {whom}."))
    if result["n_train"] > 1.25 * result["n_train_in_confirm"]:
        found.append(
            (
                "",
                f"Over 25 % more rows than the {result['n_train_in_confirm']:,} of confirm: other λ and η may be best.",
            )
        )
    return found
