"""Words for things that stand somewhere in a picture, as captions name them.

Places are told of these alone: "a dog, lower left", not "jumping, lower left". Parts of speech are
not told apart otherwise; captions use few words, so a list of the commonest nouns is enough, and a
noun that is missing here only goes without its place.
"""

_WORDS = """
adult adults airplane airplanes animal animals apple apples baby backpack bag bags ball balloon
balloons balls banana bananas band basket bat bath bathroom bathtub beach bear bears bed bedroom
bench benches bicycle bicycles bicyclist bike biker bikes bird birds blanket board boat boats book
books bottle bottles bowl bowls box boxes boy boys branch branches bread bride bridge broccoli
building buildings bull bus buses bush bushes cabinet cabinets cake camel candle candles canoe cap
car carpet carriage cars cart carts cat cats cattle ceiling cellphone chair chairs cheese child
children church cliff climber clock clocks clothes clouds coat computer computers cone cones
controller corner costume couch counter couple court cow cowboy cows cream crowd cup cups curtain
curtains cyclist dancer desk desks dirt dish dishes dock dog dogs door doors doughnut doughnuts
dress driver duck ducks dune dunes elephant elephants equipment face family feeder fence field fire
fireplace fish flag flags floor flower flowers food forest fork formation fountain frisbee fruit
garden gate geese giraffe giraffes girl girls glass glasses glove goat goats grass greyhound
greyhounds guitar guy guys hat hats helmet helmets hiker hill hillside horse horses hot-dog house
houses hurdle hydrant ice intersection jacket jackets jeans jet kayak keyboard kid kids kitchen kite
kites kitten knife ladder ladies lady lake lamp lamps laptop laptops lawn leaves light lights log
luggage man mat meat men microphone microwave mirror monitor monkey motorbike motorcycle motorcycles
mountain mountains mouse mud net ocean office orange oranges oven painting pan pants paper park
passengers path pen people person phone phones piano pillow pillows pizza pizzas plane planes plant
plants plate plates platform player players playground pole poles pond pool pot puddle puppy rack
racket racquet raft rail railing railroad ramp refrigerator remote restaurant rider riders river
road rock rocks roof room rope rug runner runners runway salad sand sandwich sandwiches scarf
scissors scooter screen seat sheep shelf ship shirt shirts shoe shoes shop shore shorts shower
sidewalk sign signs sink skateboard skateboarder skateboarders skateboards skater ski skier skiers
skirt skis sky sled slide slope smoke snow snowboard snowboarder snowboarders sofa station statue
stick sticks store stove stream street streets stroller stump suit suitcase suitcases sun sunglasses
surfboard surfboards surfer surfers sweater swimmer swing swings table tables tank teddy television
tent tents tie toddler toilet towel towels tower toy toys track tracks traffic trail train trains
trampoline tray tree trees truck trucks trunk tub tunnel tv umbrella umbrellas uniform van vase
vases vegetables vehicle vehicles vest vests wagon wall walls water waterfall wave waves wheel
wheelchair window windows wine woman women woods worker workers yard zebra zebras
"""

NOUNS = frozenset(_WORDS.split())

_SECOND = """
area bars case climbers cloth control display engine fishing football game gear hockey hose juice
lift limb line outfit parking pit post race racer racers range rink scene set shopping signal sill
slices stop view volleyball wings
"""
# What makes a name of the noun before it, but is no thing with a place of its own, or may be a verb
# elsewhere: "a swing set", "an ice rink".
SECOND = frozenset(_SECOND.split())
# The same where another noun follows: "a snow covered mountain", "a light brown dog".
BETWEEN = frozenset(
    ("black", "blue", "brown", "colored", "covered", "filled", "lined", "shaped", "topped", "white")
)
