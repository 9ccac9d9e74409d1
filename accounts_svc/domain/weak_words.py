"""What weak passwords are made of: words that people everywhere think of first.

Written for this project, from what published breach statistics agree on. A word stands for itself,
for its spellings with digits and signs (`p4$$word`), and for itself with a few of those around it.
"""

from typing import Final

WORDS: Final = frozenset(
    """
    password passwort passord contrasena motdepasse senha parola haslo kennwort passphrase passcode
    pass passwd secret letmein letmeinnow welcome welcomeback login logmein signin access admin
    administrator root superuser user username guest test tester testing demo default changeme
    changeit temp temporary qwerty qwertz azerty asdfgh abc abcd abcdef iloveyou ilovehim iloveher
    ilovegod loveyou loveme lover lovely love forever always mine trustno trustnoone whatever
    nothing something anything everything nopassword nopass mypassword mypass newpassword
    yourpassword thepassword passwordpassword sunshine princess princesa prince dragon monkey
    shadow master
    superman batman spiderman ironman hulk wolverine starwars startrek skywalker yoda matrix
    gandalf pokemon pikachu naruto minecraft fortnite playstation nintendo xbox gamer zelda mario
    football baseball basketball soccer hockey tennis golf golfer volleyball rugby cricket swimming
    running fishing hunter hunting racing runner skater surfer
    liverpool chelsea arsenal barcelona realmadrid juventus manchester united everton celtic rangers
    yankees redsox lakers cowboys steelers packers eagles giants patriots raiders broncos
    jordan michael jennifer jessica ashley daniel thomas robert william joseph charlie andrew
    matthew joshua anthony christopher nicholas jonathan benjamin samantha elizabeth stephanie
    nicole michelle amanda melissa danielle victoria alexander alexandra alexis maria carlos
    fernando roberto antonio francisco giovanni andrea francesco alessandro sophie charlotte
    george harley buster bailey maggie ginger pepper cookie tigger snoopy garfield simba lucky
    buddy rocky max bella princess1 angel angels angelo heaven jesus jesuschrist christ christian
    faith grace blessed blessing hallelujah god godisgood godislove allah buddha krishna
    cheese chocolate banana orange apple peanut butter coffee pizza hamburger chicken cookies
    cupcake pumpkin cherry strawberry blueberry vanilla caramel biscuit
    summer winter spring autumn january february march april may june july august september
    october november december monday tuesday wednesday thursday friday saturday sunday weekend
    holiday vacation christmas easter halloween birthday newyear
    london paris berlin madrid newyork chicago boston dallas houston austin denver phoenix
    california florida texas america american canada mexico brasil brazil argentina england
    scotland ireland france germany deutschland espana italia india pakistan china japan australia
    computer internet windows microsoft google facebook instagram twitter youtube linkedin amazon
    android iphone samsung nokia apple macintosh linux ubuntu server network database oracle
    cisco system systems security private backup office company business manager
    mustang corvette ferrari porsche mercedes toyota honda yamaha kawasaki suzuki ducati camaro
    chevy chevrolet cadillac lamborghini volkswagen
    purple yellow orange silver golden diamond crystal rainbow butterfly flower flowers sunflower
    rose daisy jasmine violet amber ruby sapphire emerald
    killer hacker hackers warrior warriors soldier ranger samurai ninja pirate assassin vampire
    zombie demon devil lucifer phantom ghost thunder lightning storm hurricane tornado blizzard
    eagle falcon phoenix tiger lion panther leopard jaguar cheetah elephant dolphin penguin turtle
    rabbit hamster kitten kitty hellokitty puppy doggy doggie wolf wolves bulldog
    freedom liberty justice victory hope happy happiness smile smiley friend friends family mother
    father mommy daddy mama papa brother sister baby babygirl babyboy babydoll sweetie sweetheart
    honey darling sexy sexygirl beautiful gorgeous handsome
    hello hellothere helloworld goodbye goodluck goodmorning goodnight thankyou please
    music guitar drummer metallica slipknot nirvana beatles eminem rockstar rocknroll dancer
    dancing singer
    money dollar dollars million millionaire rich bitcoin crypto business success winner champion
    champions legend number one numberone
    airbnb booking staymesh travel traveler traveller hotel apartment house home homesweethome
    """.split()  # noqa: SIM905  (one reads and edits words, not quotes)
)

# Walked on a keyboard or along an alphabet, in either direction.
WALKS: Final = (
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "abcdefghijklmnopqrstuvwxyz",
    "012345678901234567890",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "147258369",
    "159753",
)
