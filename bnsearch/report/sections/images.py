"""Pictures: the most confident mistakes, and what the first layer looks for. Only for data that are images."""

import numpy as np

from bnsearch.model import Model
from bnsearch.report import headlines
from bnsearch.report.pictures import of_mistakes, of_weights
from bnsearch.report.records import StudyRecord
from bnsearch.report.sections.parts import Picture, Section

N_UNITS = 64


def mistakes(record: StudyRecord) -> Section | None:
    """Test images, as they were kept when the test set was looked at."""
    found, model = record.mistakes, record.model
    if found is None:
        return None
    title = "Confidently wrong"
    if isinstance(found, str) or not isinstance(model, Model):
        why = found if isinstance(found, str) else str(model)
        return Section("mistakes", title, notes=[f"No images can be shown. {why}"])
    sources = of_mistakes(found)
    if sources is None:
        return None
    names, pictures = model.classes, []
    for i, source in enumerate(sources):
        true, predicted = names[found.y[i]], names[found.predicted[i]]
        lines = [
            f"answer {predicted}, {100 * found.confidence[i]:.1f} %",
            f"truth {true}, {100 * found.of_truth[i]:.1f} %",
        ]
        alt = f"Test row {found.rows[i]}: {true}, taken for {predicted}"
        pictures.append(Picture(source, alt, lines))
    note = "Probabilities are means over the final networks."
    return Section("mistakes", title, [headlines.mistakes(found, names)], pictures=pictures, notes=[note])


def weights(record: StudyRecord) -> Section | None:
    """First-layer weights of the first final network, strongest units first."""
    model = record.model
    if not isinstance(model, Model) or not model.metadata.get("image_shape") or len(model.weights) < 2:
        return None
    W = model.weights[0]
    norms = np.linalg.norm(W, axis=0)
    order = np.argsort(-norms, kind="stable")[:N_UNITS]
    sources = of_weights(W[:, order], model.metadata["image_shape"])
    if sources is None:
        return None
    pictures = [
        Picture(source, f"Weights of unit {unit}, norm {norms[unit]:.3g}", [f"unit {unit}"])
        for unit, source in zip(order.tolist(), sources, strict=True)
    ]
    notes = [
        "Each picture shows the weights of one unit of the first final network for raw pixels: standardisation, "
        "projection and batch normalisation are folded in. Each has a scale of its own around zero; of grey images "
        "blue is negative and red positive."
    ]
    if len(norms) > N_UNITS:
        notes.append(f"Of {len(norms)} units the {N_UNITS} with the largest norms are shown.")
    return Section(
        "weights", "First-layer weights", [headlines.weights(norms.tolist())], pictures=pictures, notes=notes
    )
