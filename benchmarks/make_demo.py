"""Makes the bundled sample: python benchmarks/make_demo.py. Every sentence here is made up; the same seed gives the same bytes."""

from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

# theme | intent | weight | frames (with {slots}) | slots
INTENTS = {
    ("Software", "failing test"): (
        5,
        [
            "Why does my {lang} unit test fail with {err}?",
            "My {lang} tests are failing with {err}, can you help me fix them?",
            "Fix this failing {lang} test, it raises {err}",
            "the test suite throws {err} after I upgraded {lib}",
            "How do I debug a flaky {lang} test that sometimes gives {err}?",
        ],
        {},
    ),
    ("Software", "sql query"): (
        5,
        [
            "Write a SQL query that counts {thing} per {unit}",
            "How do I write a SQL query to find the top ten {thing} by {unit}?",
            "I need a SQL query joining {thing} with {thing}",
            "my sql query for {thing} is slow, can you speed it up?",
            "Can you explain this SQL query over the {thing} table?",
        ],
        {
            "thing": ["orders", "customers", "invoices", "shipments", "products", "payments", "tickets"],
            "unit": ["month", "region", "store", "week", "country", "category"],
        },
    ),
    ("Software", "css layout"): (
        5,
        [
            "How do I center a {el} with CSS?",
            "My CSS layout breaks on {dev}, the {el} overflows",
            "Make the {el} responsive with CSS grid",
            "Can you fix the CSS so that the {el} stays at the top on {dev}?",
            "Write CSS for a two column layout with a {el}",
        ],
        {
            "el": [
                "navigation bar",
                "card",
                "sidebar",
                "image gallery",
                "footer",
                "button row",
                "hero section",
            ],
            "dev": ["mobile", "small screens", "tablets", "older browsers"],
        },
    ),
    ("Software", "regex"): (
        3,
        [
            "Write a regular expression that matches {pat}",
            "I need a regex for {pat}",
            "why does my regex not match {pat}?",
            "Explain this regular expression for {pat}",
        ],
        {
            "pat": [
                "dates",
                "postal codes",
                "file names",
                "version numbers",
                "hex colours",
                "log lines",
                "times of day",
            ]
        },
    ),
    ("Software", "docker"): (
        4,
        [
            "How do I reduce the size of my Docker image for {lib}?",
            "My Docker container exits when I start {lib}",
            "Write a Dockerfile for a {lang} service with {lib}",
            "set up a docker compose file with {lib} and a database",
        ],
        {},
    ),
    ("Writing", "cover letter"): (
        5,
        [
            "Write a cover letter for a {job} position",
            "Can you improve my cover letter for a {job} role?",
            "I need a short cover letter as a {job} with {n} years of experience",
            "Help me write a cover letter, I am applying as a {job}",
        ],
        {},
    ),
    ("Writing", "email"): (
        6,
        [
            "Write a polite email to {who} about {topic}",
            "Can you draft an email asking {who} for {topic}?",
            "Reply to this email from {who} about {topic}",
            "Make this email to {who} sound more professional",
            "i need an email to {who} saying sorry for {topic}",
        ],
        {
            "who": [
                "my manager",
                "a client",
                "the landlord",
                "my professor",
                "a supplier",
                "the HR team",
                "our neighbours",
            ],
            "topic": [
                "a late delivery",
                "a missed meeting",
                "a day off",
                "the new contract",
                "a refund",
                "the schedule",
                "a delayed report",
            ],
        },
    ),
    ("Writing", "wedding speech"): (
        3,
        [
            "Write a wedding speech for my {rel}",
            "Help me with a best man speech, make it {tone}",
            "I have to give a wedding toast for my {rel}, ideas?",
            "Make my wedding speech for my {rel} shorter and more {tone}",
        ],
        {
            "rel": ["sister", "brother", "best friend", "cousin", "daughter", "son", "colleague"],
            "tone": ["funny", "warm", "short", "elegant"],
        },
    ),
    ("Writing", "product description"): (
        3,
        [
            "Write a product description for {prod}",
            "Can you write a catchy product description for {prod}?",
            "Rewrite this product description of {prod} to sound premium",
            "I sell {prod} online, write a description of the product",
        ],
        {
            "prod": [
                "handmade candles",
                "a trail running shoe",
                "organic coffee",
                "a standing desk",
                "ceramic mugs",
                "a travel backpack",
                "bamboo socks",
            ]
        },
    ),
    ("Learning", "maths homework"): (
        6,
        [
            "Solve the equation {eq} step by step",
            "Help me with my maths homework about {math}",
            "Can you explain how to solve {eq}?",
            "I don't understand {math}, can you explain it simply?",
            "check my solution of the equation {eq}",
        ],
        {
            "eq": ["3x + 7 = 25", "x^2 - 5x + 6 = 0", "2(x - 4) = 10", "5x = 3x + 14", "x/3 + 2 = 9"],
            "math": [
                "fractions",
                "quadratic equations",
                "logarithms",
                "derivatives",
                "probability",
                "percentages",
                "triangles",
            ],
        },
    ),
    ("Learning", "explain concept"): (
        5,
        [
            "Explain {con} like I'm ten",
            "What is {con} and why does it matter?",
            "Explain {con} in simple words",
            "How does {con} work?",
            "Can you give me an easy example of {con}?",
        ],
        {
            "con": [
                "photosynthesis",
                "inflation",
                "gravity",
                "black holes",
                "evolution",
                "electricity",
                "the water cycle",
                "supply and demand",
                "vaccines",
                "tides",
            ]
        },
    ),
    ("Learning", "practise language"): (
        4,
        [
            "Help me practise {tongue} conversation",
            "Let's speak {tongue}, correct my mistakes please",
            'How do I say "{say}" in {tongue}?',
            "Give me ten {tongue} words about {word}",
            "Explain the past tense in {tongue}",
        ],
        {
            "tongue": ["Spanish", "French", "Italian", "Japanese", "German", "Portuguese"],
            "say": ["where is the station", "I would like the bill", "nice to meet you", "how much is it"],
            "word": ["food", "travel", "family", "weather", "work"],
        },
    ),
    ("Learning", "history essay"): (
        3,
        [
            "Write an outline for a history essay about {his}",
            "What were the causes of {his}?",
            "Summarise {his} in five points for my history class",
            "I need sources for a history essay on {his}",
        ],
        {
            "his": [
                "the French Revolution",
                "the fall of Rome",
                "the Industrial Revolution",
                "the Silk Road",
                "the First World War",
                "the printing press",
            ]
        },
    ),
    ("Travel", "itinerary"): (
        6,
        [
            "Plan a {n} day trip to {city}",
            "What should I see in {city} in {n} days?",
            "Make an itinerary for {city} with kids",
            "I'm travelling to {city} in {month}, plan my trip",
            "cheap things to do in {city} on a weekend trip",
        ],
        {},
    ),
    ("Travel", "flights"): (
        4,
        [
            "Find a cheap flight from {city} to {city}",
            "When is the best time to book a flight to {city}?",
            "My flight to {city} was cancelled, what are my rights?",
            "How early should I be at the airport for a flight to {city}?",
        ],
        {},
    ),
    ("Cooking", "leftovers"): (
        5,
        [
            "What can I cook with {ing}, {ing} and {ing}?",
            "Give me a quick recipe with {ing} and {ing}",
            "I have {ing} left over, suggest a recipe for dinner",
            "easy vegetarian recipe using {ing}",
            "Recipe ideas for {ing} that take under 30 minutes",
        ],
        {},
    ),
    ("Cooking", "baking"): (
        3,
        [
            "Why did my {cake} not rise?",
            "How long do I bake {cake}?",
            "Can I replace eggs when I bake {cake}?",
            "Give me a recipe to bake {cake} without sugar",
        ],
        {"cake": ["banana bread", "sourdough bread", "a sponge cake", "muffins", "a cheesecake", "scones"]},
    ),
    ("Health", "workout"): (
        4,
        [
            "Make a workout plan for {n} days a week at home",
            "I want to {goal}, what exercises should I do?",
            "Suggest a beginner workout plan to {goal}",
            "How do I start running if I want to {goal}?",
        ],
        {
            "goal": [
                "lose weight",
                "build muscle",
                "get stronger legs",
                "run five kilometres",
                "improve my posture",
                "stay fit at fifty",
            ]
        },
    ),
    ("Health", "sleep"): (
        3,
        [
            "I can't sleep because of {why}, any tips?",
            "How can I sleep better with {why}?",
            "Tips to fall asleep faster when I have {why}",
            "what helps against {why} so I can sleep",
        ],
        {"why": ["night shifts", "stress", "jet lag", "noise from the street", "back pain", "a newborn"]},
    ),
    ("Money", "budget"): (
        4,
        [
            "Make a monthly budget for {inc} a month",
            "How do I save money on {spend}?",
            "Help me plan a budget for {spend}",
            "I spend too much on {spend}, make a savings plan",
        ],
        {
            "inc": ["2,000 euros", "3,500 dollars", "1,800 pounds", "4,200 dollars"],
            "spend": ["groceries", "rent", "a new car", "a holiday", "eating out", "my wedding", "heating"],
        },
    ),
    ("Money", "tax"): (
        3,
        [
            "Can I deduct {ded} from my taxes?",
            "How do I file taxes as a {job}?",
            "Which tax form do I need for {ded}?",
            "explain the tax deduction for {ded}",
        ],
        {"ded": ["my home office", "a laptop", "commuting costs", "childcare", "donations", "work clothes"]},
    ),
    ("Business", "meeting summary"): (
        4,
        [
            "Summarise these meeting notes into action items",
            "Turn my notes from the {meet} into a summary",
            "Write a summary of the {meet} for people who missed it",
            "make a list of decisions from the {meet} notes",
        ],
        {
            "meet": [
                "sprint review",
                "budget meeting",
                "kick-off",
                "board meeting",
                "weekly sync",
                "design review",
            ]
        },
    ),
    ("Business", "marketing plan"): (
        5,
        [
            "Write a marketing plan for {biz}",
            "Give me ten social media post ideas for {biz}",
            "How do I find the first customers for {biz}?",
            "Create a marketing campaign to promote {biz}",
            "instagram captions for {biz}",
        ],
        {},
    ),
    ("Data", "spreadsheet formula"): (
        5,
        [
            "Which Excel formula {does}?",
            "Write a spreadsheet formula that {does}",
            "My Excel formula that {does} returns an error",
            "How do I {do} in a spreadsheet?",
        ],
        {
            "does": [
                "sums sales per month",
                "counts unique names",
                "finds duplicates",
                "looks up a price",
                "splits a full name",
                "calculates the average per week",
            ],
            "do": [
                "remove duplicates",
                "make a pivot table",
                "freeze the first row",
                "highlight late dates",
                "merge two sheets",
            ],
        },
    ),
    ("Creative", "short story"): (
        5,
        [
            "Write a short story about {hero} who {plot}",
            "Continue my short story about {hero}",
            "Write a bedtime story about {hero}",
            "I need an ending for a story in which {hero} {plot}",
        ],
        {},
    ),
    ("Creative", "poem"): (
        4,
        [
            "Write a poem about {muse}",
            "Write a birthday poem for my {fam}",
            "Make this poem about {muse} rhyme",
            "a haiku about {muse} please",
        ],
        {
            "muse": ["the sea", "autumn", "my cat", "first snow", "an old house", "coffee", "growing up"],
            "fam": ["mother", "grandfather", "best friend", "girlfriend", "son", "teacher"],
        },
    ),
    ("Home", "plants"): (
        4,
        [
            "Why are the leaves of my {plant} turning yellow?",
            "How often should I water a {plant}?",
            "When do I plant {veg} in the garden?",
            "My {plant} has small flies, what can I do?",
        ],
        {
            "plant": ["monstera", "basil", "orchid", "ficus", "lavender", "lemon tree", "succulent"],
            "veg": ["tomatoes", "carrots", "garlic", "potatoes", "tulips"],
        },
    ),
    ("Careers", "interview"): (
        4,
        [
            "Help me prepare for a job interview as a {job}",
            "What questions are asked in a {job} interview?",
            "Practise a job interview with me, I want to become a {job}",
            "how do i answer 'what is your weakness' in a {job} interview",
        ],
        {},
    ),
    ("Parenting", "kids activities"): (
        3,
        [
            "Rainy day activities for a {age} year old",
            "My {age} year old does not want to {hab}, what can I do?",
            "Ideas for a birthday party for a {age} year old",
            "How do I get my {age} year old to {hab}?",
        ],
        {
            "age": ["three", "four", "five", "six", "eight"],
            "hab": ["eat vegetables", "go to bed", "brush their teeth", "do homework", "share toys"],
        },
    ),
    ("Misuse", "bypass"): (
        1,
        [
            "How do I get into my {ex}'s phone without them knowing?",
            "Write a message that tricks people into giving me their password",
            "how can I track where my {ex} is in secret",
        ],
        {"ex": ["partner", "boss", "roommate"]},
    ),
}
COMMON = {
    "lang": ["Python", "JavaScript", "Java", "Go", "TypeScript"],
    "err": [
        "a timeout",
        "an assertion error",
        "a null pointer",
        "an import error",
        "a type error",
        "a missing fixture",
    ],
    "lib": ["Django", "React", "Postgres", "Redis", "FastAPI", "Spring"],
    "job": [
        "nurse",
        "data analyst",
        "teacher",
        "project manager",
        "software engineer",
        "barista",
        "graphic designer",
        "accountant",
        "electrician",
        "sales assistant",
    ],
    "n": ["two", "three", "four", "five", "seven", "ten"],
    "city": [
        "Lisbon",
        "Rome",
        "Tokyo",
        "Berlin",
        "Prague",
        "Mexico City",
        "Vienna",
        "Seoul",
        "Istanbul",
        "Copenhagen",
        "Barcelona",
    ],
    "month": ["May", "July", "October", "December", "March"],
    "ing": [
        "rice",
        "chickpeas",
        "eggs",
        "spinach",
        "leeks",
        "chicken",
        "lentils",
        "tomatoes",
        "mushrooms",
        "potatoes",
        "tofu",
        "feta",
    ],
    "biz": [
        "a dog walking business",
        "a small bakery",
        "a yoga studio",
        "an online tutoring app",
        "a bike repair shop",
        "a vegan food truck",
        "a bookshop",
    ],
    "hero": [
        "a shy dragon",
        "a retired detective",
        "two rival bakers",
        "a robot gardener",
        "a lighthouse keeper",
        "a girl with a talking map",
    ],
    "plot": [
        "loses a key",
        "finds an old letter",
        "must cross the desert",
        "learns to trust",
        "travels back in time",
    ],
}
# other languages: the same intents in fewer words
ABROAD = {
    "es": {
        "itinerary": [
            "¿Qué puedo ver en {city} en tres días?",
            "Organiza un viaje a {city} para mi familia",
            "Hazme un itinerario barato para {city}",
            "Quiero viajar a {city} el mes que viene, ¿qué me recomiendas?",
        ],
        "leftovers": [
            "¿Qué puedo cocinar con {ing} y {ing}?",
            "Dame una receta fácil con {ing}",
            "Necesito una receta rápida para la cena con {ing}",
        ],
        "email": [
            "Escribe un correo formal para {who} sobre {topic}",
            "Ayúdame a responder un correo de {who}",
            "¿Puedes mejorar este correo para {who}?",
        ],
        "maths homework": [
            "Resuelve la ecuación 2x + {num} = {num2} paso a paso",
            "Ayúdame con mis deberes de matemáticas sobre {math}",
            "¿Cómo se resuelve 3x = {num}?",
        ],
    },
    "de": {
        "itinerary": [
            "Was kann ich in {city} an drei Tagen sehen?",
            "Plane eine Reise nach {city} mit Kindern",
            "Erstelle mir einen Reiseplan für {city}",
        ],
        "email": [
            "Schreibe eine höfliche E-Mail an {who} wegen {topic}",
            "Kannst du diese E-Mail an {who} verbessern?",
            "Wie antworte ich {who} auf die E-Mail?",
        ],
        "sql query": [
            "Schreibe eine SQL-Abfrage, die {thing} pro Monat zählt",
            "Warum ist meine SQL-Abfrage über {thing} so langsam?",
            "Wie verbinde ich in SQL {thing} mit Kunden?",
        ],
        "tax": [
            "Kann ich {ded} von der Steuer absetzen?",
            "Wie gebe ich {ded} in der Steuererklärung an?",
            "Welches Formular brauche ich in der Steuererklärung für {ded}?",
        ],
    },
    "fr": {
        "leftovers": [
            "Que puis-je cuisiner avec {ing} et {ing} ?",
            "Donne-moi une recette facile avec {ing}",
            "Une recette rapide pour ce soir avec {ing} s'il te plaît",
        ],
        "cover letter": [
            "Écris une lettre de motivation pour un poste de {job}",
            "Peux-tu améliorer ma lettre de motivation de {job} ?",
            "Aide-moi à écrire une lettre de motivation comme {job}",
        ],
        "explain concept": [
            "Explique-moi {con} simplement",
            "C'est quoi {con} ?",
            "Peux-tu m'expliquer {con} avec un exemple ?",
        ],
    },
    "ja": {
        "itinerary": [
            "{city}を三日間で観光するプランを作ってください",
            "{city}でおすすめの観光スポットを教えてください",
            "来月{city}に旅行します。計画を立ててください",
        ],
        "email": [
            "{who}への丁寧なメールを書いてください",
            "{who}に{topic}についてのメールを送りたいです。文章を作って",
            "このメールを{who}向けに直してください",
        ],
        "short story": [
            "{hero}の短い物語を書いてください",
            "{hero}が出てくる童話を作って",
            "{hero}についての物語の続きを書いてください",
        ],
    },
    "zh": {
        "sql query": [
            "帮我写一个统计每月{thing}数量的SQL查询",
            "为什么我的{thing}表SQL查询这么慢？",
            "用SQL怎么关联{thing}和客户表？",
        ],
        "leftovers": [
            "用{ing}和{ing}可以做什么菜？",
            "给我一个{ing}的简单菜谱",
            "晚饭想用{ing}，推荐一个菜谱",
        ],
        "marketing plan": [
            "帮我写一份{biz}的营销方案",
            "{biz}怎么找到第一批客户？",
            "为{biz}写五条社交媒体文案",
        ],
    },
    "pt": {
        "workout": [
            "Monte um treino em casa para {goal}",
            "Que exercícios devo fazer para {goal}?",
            "Faça um plano de treino de três dias para {goal}",
        ],
        "poem": [
            "Escreva um poema sobre {muse}",
            "Faça um poema de aniversário para minha {fam}",
            "Um poema curto sobre {muse}, por favor",
        ],
    },
}
WORDS = {
    "es": {
        "city": ["Lisboa", "Roma", "Berlín", "Praga", "Viena"],
        "ing": ["arroz", "garbanzos", "huevos", "espinacas", "pollo", "lentejas"],
        "who": ["mi jefa", "un cliente", "mi profesor", "el casero"],
        "topic": ["un retraso", "una reunión", "un reembolso"],
        "num": ["3", "5", "7", "9"],
        "num2": ["11", "15", "21"],
        "math": ["fracciones", "porcentajes", "derivadas"],
    },
    "de": {
        "city": ["Lissabon", "Rom", "Prag", "Wien", "Kopenhagen"],
        "who": ["meine Chefin", "einen Kunden", "den Vermieter", "das Amt"],
        "topic": ["der Verspätung", "des Termins", "der Rechnung"],
        "thing": ["Bestellungen", "Rechnungen", "Produkte"],
        "ded": ["das Arbeitszimmer", "den Laptop", "Fahrtkosten", "Kinderbetreuung"],
    },
    "fr": {
        "ing": ["du riz", "des œufs", "des épinards", "du poulet", "des lentilles"],
        "job": ["infirmier", "comptable", "vendeur", "développeur"],
        "con": ["la photosynthèse", "l'inflation", "la gravité", "les marées", "l'électricité"],
    },
    "ja": {
        "city": ["東京", "京都", "ローマ", "パリ", "ソウル"],
        "who": ["上司", "取引先", "先生", "大家さん"],
        "topic": ["納期の遅れ", "会議", "休暇"],
        "hero": ["小さな竜", "灯台守", "ロボット"],
    },
    "zh": {
        "thing": ["订单", "客户", "产品", "发票"],
        "ing": ["鸡蛋", "豆腐", "土豆", "番茄", "鸡肉"],
        "biz": ["面包店", "瑜伽馆", "书店", "自行车维修店"],
    },
    "pt": {
        "goal": ["perder peso", "ganhar músculo", "correr cinco quilômetros"],
        "muse": ["o mar", "o outono", "a saudade", "o café"],
        "fam": ["mãe", "avó", "irmã"],
    },
}
COUNTRIES = {
    "en": ["US", "GB", "CA", "AU", "IN"],
    "es": ["ES", "MX", "AR"],
    "de": ["DE", "AT"],
    "fr": ["FR", "BE"],
    "ja": ["JP"],
    "zh": ["CN", "TW"],
    "pt": ["BR", "PT"],
}
OPENERS = ["", "", "", "", "", "Hi, ", "Hello! ", "Hey, ", "Quick question: ", "ok so ", "Please help. "]
CLOSERS = [
    "",
    "",
    "",
    "",
    " Thanks!",
    " Please keep it short.",
    " I'm in a hurry.",
    " Thank you in advance.",
    " It's for tomorrow.",
    " pls",
]
FOLLOW = [
    "Can you make it shorter?",
    "Thanks, that helps.",
    "Could you give another version?",
    "Why is that?",
    "And what comes next?",
    "Perfect, thank you!",
    "Can you explain the second point?",
    "Make it a bit more formal please.",
]
ANSWERS = [
    "Sure, here is a first version to start from.",
    "Of course. Here are the main steps.",
    "Happy to help: the short answer first, then the details.",
    "Here is a suggestion you can adapt.",
    "Good question. In brief, it depends on three things.",
]
# too few people ask these to be shown
RARE = [
    "How do I restore a 1920s gramophone spring?",
    "Which lichens grow on north-facing slate roofs?",
    "Translate this sentence into Cornish, please",
]
PERSONAL = [
    "My name is Jordan Example, write to jordan.example@example.com. ",
    "Call me back on 415-555-0132. ",
    "I live at 12 Sample Street. ",
]


def fill(frame: str, slots: dict[str, list[str]], dice: random.Random) -> str:
    """A frame with each slot filled."""
    text = frame
    while "{" in text:
        name = text[text.index("{") + 1 : text.index("}")]
        text = text.replace("{" + name + "}", dice.choice(slots[name]), 1)
    return text


def main() -> None:
    """Write the sample and its labels."""
    dice = random.Random(20261124)
    # few people ask often, many once
    people = [(f"user-{n:04d}", 1 / (1 + n % 40)) for n in range(450)]
    tongues = {
        name: dice.choices(["en", "es", "de", "fr", "ja", "zh", "pt"], [70, 7, 6, 5, 5, 5, 2])[0]
        for name, _ in people
    }
    intents = list(INTENTS)
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    rows, labels, seen = [], {}, set()
    while len(rows) < 2000:
        user = dice.choices([p for p, _ in people], [w for _, w in people])[0]
        tongue = tongues[user]
        if tongue == "en" or dice.random() < 0.15:
            tongue = "en"
            theme, intent = dice.choices(intents, [INTENTS[i][0] for i in intents])[0]
            _, frames, own = INTENTS[(theme, intent)]
            text = fill(dice.choice(frames), {**COMMON, **own}, dice)
            text = (
                dice.choice(OPENERS)
                + (text if dice.random() < 0.7 else text[0].lower() + text[1:])
                + dice.choice(CLOSERS)
            )
        else:
            intent = dice.choice(list(ABROAD[tongue]))
            theme = next(t for t, i in intents if i == intent)
            text = fill(dice.choice(ABROAD[tongue][intent]), WORDS[tongue], dice)
        # a topic that grows and one that fades
        day = (
            dice.betavariate(4, 1) * 56
            if intent == "marketing plan"
            else dice.betavariate(1, 3) * 56
            if intent == "tax"
            else dice.random() * 56
        )
        if dice.random() < 0.02:
            text = dice.choice(PERSONAL) + text
        if text in seen and dice.random() < 0.9:
            continue
        seen.add(text)
        turns = [{"role": "user", "content": text}, {"role": "assistant", "content": dice.choice(ANSWERS)}]
        while tongue == "en" and len(turns) < 12 and dice.random() < 0.4:
            turns += [
                {"role": "user", "content": dice.choice(FOLLOW)},
                {"role": "assistant", "content": dice.choice(ANSWERS)},
            ]
        rows.append((user, tongue, theme, intent, begin + timedelta(days=day), turns))
    for n, text in enumerate(RARE * 2):
        rows.append(
            (
                f"user-{n % 3:04d}",
                "en",
                "Rare",
                "rare",
                begin + timedelta(days=n),
                [{"role": "user", "content": text}, {"role": "assistant", "content": ANSWERS[0]}],
            )
        )
    rows.sort(key=lambda row: row[4])
    lines = []
    for n, (user, tongue, theme, intent, moment, turns) in enumerate(rows):
        labels[f"demo-{n:04d}"] = [theme, intent]
        record = {
            "id": f"demo-{n:04d}",
            "user": user,
            "created_at": moment.isoformat(timespec="seconds"),
            "model": dice.choice(["aster-1", "aster-1", "aster-mini"]),
            "country": dice.choice(COUNTRIES[tongue]),
            "messages": turns,
        }
        lines.append(json.dumps(record, ensure_ascii=False))
    root = Path(__file__).resolve().parent.parent
    with (
        (root / "src/clio/demo/sample.jsonl.gz").open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file,
    ):
        file.write(("\n".join(lines) + "\n").encode())
    (root / "tests/golden").mkdir(parents=True, exist_ok=True)
    (root / "tests/golden/sample_labels.json").write_text(json.dumps(labels, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    main()
