"""Everyday English nouns by what they stand for: people, organisations, places, units. For the rules of ``phrases``."""

from __future__ import annotations

PERSONS = frozenset(
    "master mate team lead crew staff committee warden owner manager mother father brother sister wife husband son "
    "daughter friend colleague neighbour neighbor boss chief chair chairman chairwoman chairperson president "
    "treasurer secretary captain mayor doctor dentist nurse vet chef cook guide pilot volunteer volunteers partner "
    "assistant apprentice expert engineer author founder director coordinator supervisor inspector instructor tutor "
    "editor curator conservator finder operator administrator translator keeper caretaker teacher trainer leader "
    "baker carpenter painter plumber driver gardener librarian technician electrician surveyor accountant mechanic "
    "person skipper porter cleaner researcher developer maintainer organiser organizer trustee trustees architect "
    "winner student students pupil pupils member members people everyone anyone child children parent parents "
    "visitor visitors guest guests customer customers client clients user users patient patients worker workers "
    "employee employees colleagues wardens drivers cooks helper helpers steward stewards singer singers conductor "
    "accompanist guard guards clerk receptionist bookkeeper farmer butcher brewer potter tailor sailor deckhand "
    "bosun midwife pharmacist chemist scientist analyst auditor lawyer solicitor judge officer officers marshal "
    "referee umpire coach player players tenant tenants landlord landlady resident residents applicant applicants "
    "candidate candidates holder holders speaker moderator reviewer reviewers approver requester sender recipient "
    "buyer seller supplier contractor apprentices interns intern trainee trainees newcomer newcomers beginner "
    "beginners rower rowers climber hiker hikers walkers swimmer swimmers lifeguard postman firefighter policeman "
    "watchman foreman chairmen men man woman women boy boys girl girls adult adults teenager teenagers senior "
    "seniors pensioner pensioners deputy deputies elder shopkeeper bartender barista waiter waitress hostess "
    "housekeeper usher ushers cashier attendant attendants demonstrator postdoc professor lecturer dean principal "
    "headteacher headmaster registrar bursar chaplain verger sexton organist choirmaster beekeeper shepherd "
    "forester ranger rangers gamekeeper teachers gardeners plotholder plotholders engineers technicians managers "
    "owners leaders editors instructors doctors nurses someone somebody nobody whoever".split()
)
ORGANISATIONS = frozenset(
    "office department council company union government university court agency board authority club association "
    "society ministry group unit brigade choir band orchestra ensemble police bank firm".split()
)
TITLES = frozenset("dr dr. mr mr. mrs mrs. ms ms. doctor captain professor prof. sir sister father".split())
NO_PERSONS = frozenset(
    "harbour harbor street road lane house hall bridge museum lake river bay port island station school library "
    "garden park square tower cup prize day week act project system server press office company bank church castle "
    "hotel inn club centre center market mill farm quay wharf room building theatre hospital university college "
    "foundation union valley mount mountain hill beach cape north south east west new old saint database service "
    "kettle guide handbook rules notes plan team group council trust society festival choir form code book gate "
    "wing stairs door cellar upper lower great little big main first second third monday tuesday wednesday thursday "
    "friday saturday sunday phase stage level zone block unit platform line bus train boat ship ferry api data "
    "cloud windows linux".split()
)
PLACES = frozenset(
    "room office shed cupboard drawer kitchen hall cellar basement attic garden yard garage workshop library shop "
    "store storeroom warehouse building house hut tower gate entrance exit corridor lobby foyer stairs staircase "
    "roof floor ceiling wall door window shelf rack box locker safe vault cabinet fridge freezer oven pantry larder "
    "bin tray bag case basket bucket drum barrel bottle jar tin envelope folder directory file database channel "
    "repository queue table desk counter bench board noticeboard hook peg nail street road lane square park field "
    "meadow wood forest hill valley village town city country island harbour port quay pier jetty dock beach shore "
    "river lake pond canal bridge station stop platform airport school university hospital church chapel barn "
    "stable greenhouse glasshouse orchard plot bed compost heap laboratory lab fume hood sink tap bath bathroom "
    "toilet washroom laundry cloakroom canteen cafe bar restaurant hotel hostel museum gallery theatre stage stalls "
    "balcony landing passage alley corner middle centre front back side top bottom end left right north south east "
    "west ground site camp bay aisle car van truck boat ship deck cabin galley hold engine mast stern bow reception "
    "machine server cluster host region drive disk page website portal app intranet log logbook ledger register "
    "book binder diary calendar spreadsheet sheet form label list".split()
)
NO_PLACES = frozenset(
    "use charge order full person pairs pair writing cash advance time case fact general turn turns batches english "
    "french german euros dollars metres meters litres minutes hours days weeks months years year phase stage state "
    "condition process mind sight touch risk rest war peace danger progress addition total part detail parallel "
    "sequence private public common stock demand sale duty fire strike hand way form format language colour color "
    "size mode lines rows columns average least most stages parts steps groups bulk degrees doubt trouble beginning "
    "end start moment event force effect hurry name honour memory response connection favour request behalf care "
    "hands possession purpose principle practice theory question answer reply view spite terms words".split()
)
COLOURS = frozenset(
    "red blue green yellow orange white black grey gray brown pink purple violet silver gold turquoise beige".split()
)
MEASURES = frozenset("high tall long wide deep old thick heavy large big".split())
DURATIONS = frozenset(
    "second minute hour day night week weekend fortnight month quarter season term year decade century".split()
)
DAY_PARTS = frozenset(
    "morning afternoon evening night noon midnight weekend weekends weekday weekdays spring summer autumn winter "
    "dawn dusk sunrise sunset mornings afternoons evenings nights easter christmas midday lunchtime".split()
)
EVENTS = frozenset(
    "meeting lesson class shift service season term concert rehearsal practice race visit tour check inspection "
    "meal breakfast lunch dinner supper closing opening arrival departure delivery use start end beginning harvest "
    "storm rain festival fair exam course holiday break drill flight trip crossing landing launch release "
    "deployment handover backup restore upgrade outage sale purchase event party performance interval show dawn "
    "dusk sunrise sunset frost work school prayer mass ceremony week month day year night evening morning afternoon "
    "deadline low high tide".split()
)
"""What happens at a time, so that ``after the concert`` says when."""
MONEY = frozenset("euros euro pounds pound dollars dollar cents pence kroner krone francs crowns yen rupees".split())
MASS = frozenset(
    "paper water food mail traffic access support service electricity gas heat power oxygen hydrogen carbon glucose "
    "sugar bread milk coffee tea data staff noise rent rubbish waste breakfast lunch dinner supper flour butter "
    "salt rice meat fish cheese honey wax wool cotton wood timber glass metal steel iron copper clay sand soil "
    "compost manure mulch straw hay dust smoke steam ice snow rain frost wind light air fuel oil petrol diesel "
    "paint glue ink soap vinegar alcohol acid money cash change payment postage parking smoking swimming fishing "
    "camping cooking cleaning training teaching laundry luggage equipment furniture clothing jewellery software "
    "hardware information advice news homework music art history biology chemistry physics mathematics admission "
    "entry membership maintenance insurance storage feedback permission tobacco medicine first work time space mud "
    "grass seed sheep cattle poultry dough yeast broth soup juice wine beer cider".split()
)
"""Nouns without an article, which have a capital only where a sentence begins."""
