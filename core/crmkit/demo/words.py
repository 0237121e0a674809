"""What demo customers say. Each sentence may name the product it is about."""

REVIEWS = {
    1: ("{product}质量太差，不会再买。", "Very disappointed with {product}."),
    2: ("{product}不如以前了。", "{product} used to be better."),
    3: ("{product}一般般，价格还行。", "{product} is all right for the price."),
    4: ("{product}不错，家里人都喜欢。", "Good {product}, the family likes it."),
    5: ("{product}非常好，回购很多次了！", "Love {product}, I keep buying it!"),
}
INQUIRIES = (
    ("请问{product}什么时候到货？", "When will {product} be back in stock?"),
    ("{product}可以送货上门吗？", "Do you deliver {product}?"),
    ("{product}有小包装吗？", "Is there a smaller pack of {product}?"),
    ("我的积分怎么没有到账？", "Why have my points not arrived yet?"),
)
COMPLAINTS = (
    ("买的{product}快过期了，很失望。", "The {product} I bought was close to its date."),
    ("收银排队太久，店员态度也不好。", "The queue was too long and the staff were rude."),
    ("{product}的价格和货架标签不一致。", "The price of {product} was not the one on the shelf."),
    ("配送迟到了两个小时。", "The delivery came two hours late."),
)
SUGGESTIONS = (
    ("希望多进一些有机蔬菜。", "Please stock more organic vegetables."),
    ("建议周末早点开门。", "Please open earlier at weekends."),
    ("希望{product}能做会员价。", "A member price for {product} would be nice."),
)
