"""The network: encoders by name, and a decoder that only looks where and when it may."""

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import GoogLeNet
from torchvision.transforms.v2 import functional as transforms

from core.model import CaptionModel, Decoder, Encoder, Scene, without_head
from core.model_config import ModelConfig
from tests.tiny_sets import lively_cnn
from training.keep import Teacher, add_recogniser, forgetting

CHANNELS, REGIONS, VOCABULARY = 6, 9, 11

# One small model of each family of CNNs in torchvision.
POOLED = [
    "densenet121",
    "efficientnet_b0",
    "efficientnet_lite0",
    "googlenet",
    "mnasnet0_5",
    "mobilenet_v2",
    "regnet_y_400mf",
    "resnet18",
    "resnext50_32x4d",
    "shufflenet_v2_x1_0",
]
WITH_LAYERS_AFTER_POOLING = ["convnext_tiny", "mobilenet_v3_small", "squeezenet1_1", "vgg11"]

# torchvision says of GoogLeNet and Inception that their random weights will change one day.
pytestmark = pytest.mark.filterwarnings("ignore:The default weight initialization:FutureWarning")


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(3)
        yield


def random_decoder() -> Decoder:
    """A decoder whose attention is far from even."""
    config = ModelConfig(VOCABULARY, hidden=12, heads=3)
    decoder = Decoder(CHANNELS, config).eval()
    for parameter in decoder.parameters():
        parameter.copy_(torch.randn_like(parameter))
    return decoder


def random_scene(decoder: Decoder, pictures: int) -> Scene:
    return decoder.look_at(torch.randn(pictures, REGIONS, CHANNELS))


def random_words(sentences: int, length: int) -> Tensor:
    words = torch.randint(4, VOCABULARY, (sentences, length))
    words[:, 0] = 1  # <start>
    return words


@pytest.mark.parametrize("name", POOLED)
def test_region_features_are_what_the_cnn_itself_pools(name: str) -> None:
    cnn = lively_cnn(name, 64)
    if isinstance(cnn, GoogLeNet):
        cnn.transform_input = True  # as with its trained weights
    encoder = Encoder(name, 64)
    encoder.cnn.load_state_dict(without_head(cnn).state_dict())
    pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)

    pooled: list[Tensor] = []
    classifier = [module for module in cnn.modules() if isinstance(module, nn.Linear)][-1]
    classifier.register_forward_pre_hook(lambda _, inputs: pooled.append(inputs[0]))
    cnn(transforms.normalize(pixels / 255, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]))

    regions = encoder(pixels)
    assert regions.shape == (2, encoder.rows * encoder.columns, encoder.channels)
    assert pooled[0].std() > 0.01
    # Untrained EfficientNets add up to large numbers, and their rounding with them.
    assert (regions.mean(dim=1) - pooled[0]).abs().max() < 0.01 * pooled[0].std()


@pytest.mark.parametrize(
    ("name", "own_layers"), [("mobilenet_v2", 0), ("mobilenet_v2", 4), ("resnet18", 1)]
)
def test_a_new_head_answers_as_the_classifier_it_was_taken_from(name: str, own_layers: int) -> None:
    cnn = lively_cnn(name, 64)
    model = CaptionModel(ModelConfig(VOCABULARY, name, 64, hidden=12, heads=3)).eval()
    layers = without_head(cnn)
    assert isinstance(layers, nn.Sequential)
    # An encoder that has learnt something else in the layers that are not shared.
    kept = len(layers) - own_layers
    model.encoder.cnn[:kept].load_state_dict(layers[:kept].state_dict())  # type: ignore[index]
    teacher = Teacher(cnn)
    naming = add_recogniser(model, teacher, own_layers).eval()
    assert naming.config.own_layers == own_layers
    pixels = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    shared = naming.encoder.share(pixels)
    found, truth = naming.recognise(shared), teacher.answer(model.encoder, pixels)
    assert found.shape == (3, 1000)
    torch.testing.assert_close(found, truth, rtol=1e-3, atol=1e-3)
    assert forgetting(found, truth) < 1e-4 < forgetting(found.flip(0), truth)
    # The sentences do not change by it.
    torch.testing.assert_close(naming.encoder.finish(shared), model.encoder(pixels))


def test_a_head_with_more_layers_than_there_are() -> None:
    with pytest.raises(ValueError, match="own_layers must be below 19"):
        CaptionModel(ModelConfig(VOCABULARY, "mobilenet_v2", 64, hidden=12, heads=3, own_layers=19))
    with pytest.raises(ValueError, match="own_layers"):
        ModelConfig(VOCABULARY, own_layers=-1)


@pytest.mark.parametrize("name", WITH_LAYERS_AFTER_POOLING)
def test_other_cnns_as_encoder(name: str) -> None:
    encoder = Encoder(name, 64)
    regions = encoder(torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8))
    assert regions.shape == (1, encoder.rows * encoder.columns, encoder.channels)
    assert encoder.channels > encoder.rows == encoder.columns > 1


def test_an_encoder_that_needs_larger_pictures_says_so() -> None:
    with pytest.raises(ValueError, match=r"inception_v3 .* 64 x 64 .* larger image_size"):
        Encoder("inception_v3", 64)
    assert Encoder("inception_v3", 139).channels == 2048


@pytest.mark.parametrize(
    "name", ["vit_b_16", "maxvit_t", "no_such_net", "", "fcn_resnet50", "quantized_mobilenet_v2"]
)
def test_what_is_no_cnn_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"choose .*a CNN such as mobilenet_v2"):
        Encoder(name, 64)


def test_regions_are_counted_row_by_row() -> None:
    encoder = Encoder("resnet18", 128)
    encoder.cnn.train()
    pixels = torch.randint(0, 256, (8, 3, 128, 128), dtype=torch.uint8)
    encoder(pixels)
    encoder.eval()
    changed = pixels[:1].clone()
    changed[:, :, :32, 96:] = 255 - changed[:, :, :32, 96:]  # the upper right
    assert (encoder.rows, encoder.columns) == (4, 4)
    difference = (encoder(changed) - encoder(pixels[:1])).norm(dim=2).view(4, 4)
    upper, lower = difference.split(2)
    assert upper[:, 2:].sum() > max(upper[:, :2].sum(), lower[:, :2].sum(), lower[:, 2:].sum())


def test_attention_and_sentinel_sum_to_one_for_every_word() -> None:
    decoder = random_decoder()
    _, look, _ = decoder(random_scene(decoder, 5), random_words(5, 7))
    assert look.regions.shape == (5, 7, REGIONS)
    assert look.regions.min() >= 0
    assert look.sentinel.min() >= 0
    torch.testing.assert_close(look.regions.sum(dim=2) + look.sentinel, torch.ones(5, 7))
    assert look.regions.std() > 0.01  # it looks somewhere


def test_a_whole_sentence_at_once_equals_word_by_word() -> None:
    decoder = random_decoder()
    scene, words = random_scene(decoder, 4), random_words(4, 8)
    logits, look, (output, memory) = decoder(scene, words)
    state = None
    for step in range(words.shape[1]):
        one, seen, state = decoder(scene, words[:, step : step + 1], state)
        torch.testing.assert_close(one[:, 0], logits[:, step], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(seen.regions[:, 0], look.regions[:, step])
        torch.testing.assert_close(seen.sentinel[:, 0], look.sentinel[:, step])
    torch.testing.assert_close(state, (output, memory))


def test_later_words_do_not_change_earlier_ones() -> None:
    decoder = random_decoder()
    scene, words = random_scene(decoder, 1), random_words(2, 8)
    words[:, :5] = words[:1, :5]
    words[1, 5:] = (words[0, 5:] - 4 + 1) % (VOCABULARY - 4) + 4
    logits, look, _ = decoder(scene, words)
    torch.testing.assert_close(logits[0, :5], logits[1, :5])
    torch.testing.assert_close(look.regions[0, :5], look.regions[1, :5])
    assert not torch.allclose(logits[0, 5:], logits[1, 5:])


def test_a_sentence_does_not_depend_on_its_neighbours_and_padding() -> None:
    decoder = random_decoder()
    regions = torch.randn(3, REGIONS, CHANNELS)
    words = random_words(4, 9)
    words[1, 5:] = 0  # <pad>
    counted = torch.ones(4, 9, dtype=torch.bool)
    counted[1, 5:] = False
    together = decoder.teach(regions, words, torch.tensor([2, 0, 2, 1]), counted)
    assert together.shape == (9 + 5 + 9 + 9, VOCABULARY)
    sentence = words[1:2, :5], torch.tensor([0]), counted[1:2, :5]
    alone, of_another_picture = (decoder.teach(regions[i : i + 1], *sentence) for i in (0, 1))
    torch.testing.assert_close(together[9:14], alone, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[9:14], of_another_picture, atol=0.1)


def test_sentences_of_the_same_pictures_look_at_them_together() -> None:
    decoder = random_decoder()
    regions, words = torch.randn(2, REGIONS, CHANNELS), random_words(6, 9)
    scene, picture_of = decoder.look_at(regions), torch.tensor([0, 0, 0, 1, 1, 1])
    logits, look, state = decoder(scene, words)
    apart, seen_apart, state_apart = decoder(scene.select(picture_of), words)
    assert_close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-5)
    assert_close(logits, apart)
    assert_close(look, seen_apart)
    assert_close(state, state_apart)
    counted = torch.ones(6, 9, dtype=torch.bool)
    assert_close(decoder.teach(regions, words, None, counted), apart.flatten(0, 1))


def test_teaching_scores_the_counted_words_as_the_search_does() -> None:
    decoder = random_decoder()
    regions, words = torch.randn(2, REGIONS, CHANNELS), random_words(3, 6)
    picture_of = torch.tensor([1, 0, 1])
    counted = torch.rand(3, 6) < 0.5
    taught = decoder.teach(regions, words, picture_of, counted)
    logits, _, _ = decoder(decoder.look_at(regions).select(picture_of), words)
    torch.testing.assert_close(taught, logits[counted], rtol=1e-4, atol=1e-5)


def test_what_it_sees_does_not_depend_on_the_order_of_regions() -> None:
    decoder = random_decoder()
    regions, words = torch.randn(1, REGIONS, CHANNELS), random_words(1, 6)
    order = torch.randperm(REGIONS)
    logits, look, _ = decoder(decoder.look_at(regions), words)
    shuffled, moved, _ = decoder(decoder.look_at(regions[:, order]), words)
    torch.testing.assert_close(shuffled, logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(moved.regions, look.regions[:, :, order])


def test_dropout_in_training_alone() -> None:
    decoder = random_decoder()
    regions, words = torch.randn(1, REGIONS, CHANNELS), random_words(1, 6)

    def teach() -> Tensor:
        return decoder.teach(regions, words, torch.tensor([0]), torch.ones(1, 6, dtype=torch.bool))

    torch.testing.assert_close(teach(), teach())
    decoder.train()
    assert not torch.allclose(teach(), teach())


def test_every_weight_learns() -> None:
    model = CaptionModel(ModelConfig(VOCABULARY, "mobilenet_v2", 64, hidden=8, heads=2, dropout=0))
    pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    counted = torch.ones(3, 5, dtype=torch.bool)
    with torch.enable_grad():
        regions = model.train().encoder(pixels)
        words, picture_of = random_words(3, 5), torch.tensor([0, 1, 1])
        model.decoder.teach(regions, words, picture_of, counted).square().mean().backward()
    still = [
        name
        for name, weight in model.named_parameters()
        if weight.grad is None or not weight.grad.any()
    ]
    assert still == []
