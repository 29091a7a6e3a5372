---
dlm_id: 01K4ZQ7M4C9GXP0R5E8TAVN2SF
dlm_version: 15
base_model: smollm2-135m
---
# Handing over the Sigrun

You are taking over the Sigrun, which crosses the sound between Marsk and Little Tarn eleven times a day. The crew
of the old boat began these notes and every watch since has added to them. Read before you touch anything. Then sign
the last page.

## The boat

She was built at Vestrik in 1988. Room for 140 passengers and 16 cars, or 12 if there is a lorry among them. Her
engines have names: to port is Castor, to starboard Pollux. Castor is the elder and does not care for the cold.
Below five degrees give it the preheater for 4 minutes, no longer, as the coil has burnt through twice. On one
engine she makes 6 knots. That will take you home; it will not hold her against the ramp on Little Tarn in a
westerly.

## People

- Halvard Brekke is master. He alone decides whether we sail.
- Runa Solheim, the mate, has the log and the keys.
- Piet Daalder looks after the engines. He lives on Little Tarn and joins us at 06:40.
- Two hands on deck. The one who came last works the ramp at Marsk.
- Ottilie in the galley is not crew, strictly speaking, but she decides who gets coffee.

If somebody is ill, get a relief through the office, extension 317. Do not ring people at home who are off watch: we
lost a good deckhand that way.

## First hour

1. Runa unlocks at ten past five. Nobody goes aboard before her.
2. Sound the tanks with the stick, not with the gauge, which has lied since the refit. Under 900 litres, bunker
   before the first crossing.
3. Test the horn, then wait. The harbour answers with one lamp, a green one. If it does not, somebody is under the
   pier.
4. Lower the ramp by hand the first time. Hydraulics come later, when the oil is warm.

## Weather

We stop at force 8. With foot passengers only, Halvard may go on up to force 9 as long as the wind stands north of
west, since Grebe Island then shelters the whole of the sound. Nobody holds it against him when he does not. In fog
we go at half speed, and Ansgar Lie, the warden of the pier, pulls the bell every two minutes. He does it from his
kitchen, by a wire. Ice has closed the crossing only once in thirty years; the post went over on a sledge, and the
sledge hangs in the waiting room.

## What it costs

| who or what | crowns |
|---|---|
| adult | 42 |
| car with driver | 165 |
| bicycle | 18 |
| motorcycle | 70 |

Children below twelve pay nothing, and schoolchildren of any age travel on a yellow card. The midwife and the vet
never pay and never wait: if need be, a car is backed off for them. Sheep are free if they are carried and cost as
much as a bicycle if they walk. Tickets are valid until the end of the year in which they were bought, which
visitors refuse to believe.

## Things that break

The bow ramp sticks after a night of rain. It wants oil, Tellin 46 and no other, and the can stands in the locker
marked Bread, because the one marked Oil is full of lifejackets. When the bilge alarm goes, silence it with the
brass switch and then go and look. It is nearly always rain. Once it was not. The radar blows its fuse about twice a
season; spares are taped inside the lid of the first-aid box. Our own talk with the harbour is on channel 72. Leave
the second set on 16, whatever happens.

For anything bigger, Vestrik has a slip that will take her. Ask for Mrs. Nordby, who built half of this boat and is
the only one there who still has the drawings.

## Found on board

What passengers leave behind goes into the chest under the stairs, with a tag. After 30 days it is sent to the
seamen's mission. We have made one exception, an accordion that no one claimed, and Ottilie plays it on Fridays.
Money is different: hand it to Runa, who enters it in the log, in red, so that nobody can say later that it was not
there.

::instruction::

### Q
Who decides whether the Sigrun sails?
### A
Halvard Brekke, the master, decides whether the Sigrun sails.

### Q
What is the name of the port engine?
### A
The port engine is called Castor.

### Q
How long may the preheater be on?
### A
The preheater may be on for 4 minutes and no longer.

### Q
How many cars fit on the Sigrun?
### A
The Sigrun takes 16 cars, or 12 if one of the vehicles is a lorry.

### Q
What does an adult pay for the crossing?
### A
An adult pays 42 crowns.

### Q
Which radio channel do we use with the harbour?
### A
We talk with the harbour on channel 72.

### Q
How long do we keep lost property?
### A
Lost property is kept for 30 days and then sent to the seamen's mission.

### Q
Who rings the bell in fog?
### A
Ansgar Lie, the warden of the pier, rings the bell in fog.
