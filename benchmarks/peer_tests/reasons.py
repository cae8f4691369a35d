"""Why a test of plenoptic ends otherwise here, and where that is stated."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What differs, where it is stated, and patterns of ``test: error`` that show it."""

    what: str
    where: str
    signs: tuple[str, ...]


_PLENOPTIC = "[plenoptic](coming_from/plenoptic.md)"


def _decision(number: int, slug: str) -> str:
    return f"[decision {number}](decisions/{number:04}-{slug}.md)"


_SAVED = _decision(23, "parts-of-a-saved-synthesis")
_IMAGES = _decision(25, "all-images-pass-one-check")
_MODELS = _decision(26, "all-models-pass-one-check")

#: The first that has a sign of a test counts.
REASONS = (
    Reason(
        what="`spatial_corr_width` must be odd: an autocorrelation has a centre",
        where="`PortillaSimoncelli`",
        signs=("spatial_corr_width must be an odd number",),
    ),
    Reason(
        what="Pyramids reconstruct the image to rounding errors; pyrtools, with tables, to 7e-6, which is "
        "more than the tolerance of the test",
        where=_decision(14, "pyramid-masks-are-computed-from-formulas"),
        signs=("test_recon_match_pyrtools.*Not equal to tolerance",),
    ),
    Reason(
        what="The masks of a pyramid are computed for a size when it is called, and are no buffers",
        where=_decision(14, "pyramid-masks-are-computed-from-formulas"),
        signs=("test_buffers.*the right number of buffers",),
    ),
    Reason(
        what="Starts are arguments of the constructor and optimizers of `synthesize`; there is no `setup`, "
        "and a run that continues keeps its optimizer",
        where=_PLENOPTIC,
        signs=(
            "test_(load_)?optimizer",
            "test_(setup_load_fail|synth_then_setup|load_init_fail|resume_synthesis)",
            "test_(mad|metamer)_loss_penalty_length.*assert 1 == 0",
            "initial_noise, a standard deviation",
        ),
    ),
    Reason(
        what="A distorted image is shown as a screen shows it, clipped to the range",
        where="`display_eigendistortion`",
        signs=("TestEigendistortionDisplay::test_synthesis_imshow.*plotted image wrong",),
    ),
    Reason(
        what="`vrange` scales colours as it scales grey levels, which matplotlib does not",
        where="`display_metamer`",
        signs=(
            r"Display::test_iteration\[rgb.*wrong saved",
            r"TestMADDisplay::test_synthesis_imshow\[rgb.*plotted image wrong",
        ),
    ),
    Reason(
        what="Complex values have no colours; a zoom is a whole number, or 1/d",
        where="`imshow`",
        signs=("complex values have no colours", "zoom must be a whole number"),
    ),
    Reason(
        what="Images are (batch, channel, height, width) inside the allowed range, and a start must fit the "
        "model; others are refused, not warned of",
        where=_IMAGES,
        signs=(
            "an image must have shape",
            "outside the allowed range",
            "for an initial_image of shape",
            "test_dimensionality.*the batch comes first",
        ),
    ),
    Reason(
        what="A printed synthesis is one line",
        where="`CHANGELOG.md`",
        signs=("test_repr.*assert None",),
    ),
    Reason(
        what="Rows of `gradient_norm` and `pixel_change_norm` belong to iterates, also for the last one; "
        "row 0 is the start",
        where="`OptimizedSynthesis`",
        signs=("get_progress.*(pixel_change_norm|gradient_norm) not as expected",),
    ),
    Reason(
        what="Values outside a colour range are clipped without a warning",
        where="`imshow`",
        signs=(r"test_animshow_clipping.*assert 0 == ",),
    ),
    Reason(
        what="A status or a histogram of an eigendistortion: it has plots of its own",
        where="`display_eigendistortion_all`",
        signs=("this plot shows a synthesis with images and losses; not a Eigendistortion",),
    ),
    Reason(
        what="The model of an eigendistortion is told by its output for the image, without its name",
        where=_SAVED,
        signs=(
            "test_eigendistortion.*test_(load_names|load_model_change|raise_on_checks_diff_name)",
            "test_eigendistortion.*test_raise_on_checks_different.*assert 2 == 3",
        ),
    ),
    Reason(
        what="A file holds arguments and results, not attributes that were set from outside, and a subclass "
        "may load it",
        where=_SAVED,
        signs=(
            "test_load_attributes.*DID NOT RAISE",
            "test_raise_on_checks_new_attr.*DID NOT RAISE",
        ),
    ),
    Reason(
        what="The range penalty is an argument, and no function of one's own: a file with another number of "
        "penalties is refused",
        where=_SAVED,
        signs=("the file is of a synthesis with", "range_penalty_lambda was 0.1 and is 0.0"),
    ),
    Reason(
        what="A `LoadWarning` has other words",
        where=_SAVED,
        signs=("test_raise_on_checks_diff_name.*startswith",),
    ),
    Reason(
        what="Files hold arrays and text, no pickles",
        where=_PLENOPTIC,
        signs=("UnpicklingError",),
    ),
    Reason(
        what="Losses of a coarse-to-fine search are those of an iterate's scales; `objective_function` takes "
        "the output of all",
        where="`MetamerCTF`",
        signs=("saved_synth and loss are misaligned",),
    ),
    Reason(
        what="Exactly every k-th iterate is stored, and the last one is at hand without that; losses of a "
        "batch are those of its images",
        where="`synthesize`",
        signs=(
            "test_store_rep",
            "get_progress.*saved_(metamer|mad_image) not as expected",
            r"Display::test_iteration\[.*(wrong saved|index 3 is out of bounds)",
            "test_coarse_to_fine.*Boolean value of Tensor with more than one value",
        ),
    ),
    Reason(
        what="More is accepted: arrays of two dimensions, whole numbers typed as floats, further leading "
        "dimensions, the last iterate without stored ones",
        where="`imshow`, `center_crop`, `get_progress`",
        signs=(
            "test_imshow_shape_fail.*DID NOT RAISE",
            "test_center_crop.*DID NOT RAISE",
            "test_local_gain_control_fail.*DID NOT RAISE",
            "test_iteration_fail.*DID NOT RAISE",
            r"test_circular_gaussian2d_(kernel_size|out_channels)",
        ),
    ),
    Reason(
        what="A model is a `torch.nn.Module`, which treats each image of a batch alone",
        where=_MODELS,
        signs=("a model must be a torch.nn.Module", "mixes the images of a batch"),
    ),
    Reason(
        what="A loss is one number, of the precision of the outputs",
        where="`Metamer`",
        signs=("new_loss returns (shape|torch.float64)",),
    ),
    Reason(
        what="A search ends by the relative change of the loss of each image, and competitions are searched "
        "by another method",
        where=_decision(16, "held-terms-are-constraints"),
        signs=("test_stop_criterion",),
    ),
    Reason(
        what="Bounds are exact with the default optimizer, so their penalty is 0 at any weight",
        where=_PLENOPTIC,
        signs=(r"test_penalty_effect.*assert 0\.0 < 0\.0",),
    ),
    Reason(
        what="Targets are kept as copies: what is written into them from outside changes nothing",
        where=_IMAGES,
        signs=("test_nan_loss.*DID NOT RAISE",),
    ),
    Reason(
        what="An optimizer of torch has torch's own rate, where plenoptic sets 0.01; LBFGS then takes steps "
        "of 1, runs off to losses of 1e13, and rounding errors are larger than the tolerance of the test",
        where="`synthesize`",
        signs=("test_metamer_loss_value.*LBFGS.*not close",),
    ),
    Reason(
        what="A `figsize` is two numbers; beside axes that are given it is warned of",
        where="`plot_representation`",
        signs=("test_plot_representation_figsize",),
    ),
    Reason(
        what="The order of four competitions is checked; the test gives another than the names of "
        "plenoptic's arguments",
        where="`display_mad_image_all`",
        signs=("the four competitions are",),
    ),
    Reason(
        what="A kept kernel has another private name",
        where="–",
        signs=(r"test_cache_filt.*_filt",),
    ),
    Reason(
        what="Tests of the arguments that a function has by default, by plenoptic's names",
        where=_PLENOPTIC,
        signs=("test_synthesis_(animate|imshow)_default.*KeyError",),
    ),
    Reason(
        what="The number of channels of a kernel is stated, not taken from the number of its widths",
        where="`circular_gaussian2d`",
        signs=("std must be positive, one number or one for each of 1 channels",),
    ),
    Reason(
        what="A grey file has one channel, with `as_gray=False` too",
        where="`load_images`",
        signs=("Didn't load image in color",),
    ),
)


#: Arguments that this project does not have, by the error that shows it.
_NO_ARGUMENT = re.compile(
    r"got an unexpected keyword argument '(rescale_ylim|epsilon)'|nlpd\(\) takes 2 positional arguments"
)


def kind_of(kind: str, error: str) -> str:
    """Return the kind of an outcome; an argument that is missing here is one that is not offered."""
    return "not offered" if kind == "differs" and _NO_ARGUMENT.search(error) else kind


def reason(test: str, error: str) -> Reason | None:
    """Return the reason for which a test differs, if one is stated."""
    line = f"{test}: {error}".replace("\n", " ")
    return next((one for one in REASONS if any(re.search(s, line) for s in one.signs)), None)
