"""Where the demo retailer's shops stand and its customers live, and what they do for a living."""

from dataclasses import dataclass
from typing import NamedTuple


class District(NamedTuple):
    """A part of a city with its postal code and some of its streets, in Chinese and pinyin."""

    name: str
    postal_code: str
    streets: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Store:
    """One shop.

    Attributes:
        name: as printed on the receipt and sent as the transaction's store.
        region: province or municipality.
        staff: numbers of the people at its tills.
    """

    name: str
    region: str
    city: str
    latin_city: str
    district: District
    staff: tuple[str, ...]


def build_stores() -> tuple[Store, ...]:
    """Return the chain's four shops; the same at every call."""
    return (
        Store(
            name="静安店",
            region="上海市",
            city="上海市",
            latin_city="Shanghai",
            district=District(
                "静安区",
                "200040",
                (
                    ("愚园路", "Yuyuan Road"),
                    ("胶州路", "Jiaozhou Road"),
                    ("北京西路", "Beijing Road W"),
                ),
            ),
            staff=("E101", "E102", "E103", "E104"),
        ),
        Store(
            name="浦东店",
            region="上海市",
            city="上海市",
            latin_city="Shanghai",
            district=District(
                "浦东新区",
                "200120",
                (
                    ("张杨路", "Zhangyang Road"),
                    ("潍坊路", "Weifang Road"),
                    ("浦电路", "Pudian Road"),
                ),
            ),
            staff=("E201", "E202", "E203"),
        ),
        Store(
            name="苏州店",
            region="江苏省",
            city="苏州市",
            latin_city="Suzhou",
            district=District(
                "姑苏区",
                "215005",
                (
                    ("平江路", "Pingjiang Road"),
                    ("干将东路", "Ganjiang Road E"),
                    ("凤凰街", "Fenghuang St"),
                ),
            ),
            staff=("E301", "E302", "E303"),
        ),
        Store(
            name="杭州店",
            region="浙江省",
            city="杭州市",
            latin_city="Hangzhou",
            district=District(
                "西湖区",
                "310012",
                (
                    ("文三路", "Wensan Road"),
                    ("学院路", "Xueyuan Road"),
                    ("天目山路", "Tianmushan Road"),
                ),
            ),
            staff=("E401", "E402", "E403"),
        ),
    )


CHINESE_OCCUPATIONS = (
    "教师",
    "护士",
    "工程师",
    "会计",
    "销售",
    "公务员",
    "个体经营",
    "司机",
    "设计师",
    "医生",
    "学生",
    "程序员",
)
ENGLISH_OCCUPATIONS = (
    "teacher",
    "engineer",
    "accountant",
    "designer",
    "manager",
    "consultant",
    "journalist",
    "student",
)
PENSIONER = {"zh": "退休", "en": "retired"}
CHINESE_MOBILE_PREFIXES = ("135", "136", "137", "138", "139", "150", "158", "159", "186", "188")
# 555-01xx and Ofcom's drama ranges are kept free, so these numbers ring nowhere.
AMERICAN_AREA_CODES = ("202", "206", "212", "213", "303", "305", "312", "404", "415", "512", "617")
BRITISH_DRAMA_RANGES = ("2079460", "1134960", "1144960", "1164960", "1214960", "1314960", "1614960")
