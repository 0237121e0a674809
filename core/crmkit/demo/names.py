"""Names for demo customers: written form and, for Chinese names, pinyin for e-mail addresses."""

from typing import NamedTuple


class Name(NamedTuple):
    """A name and how it is spelt in plain Latin letters."""

    text: str
    latin: str


def _pairs(table: str) -> tuple[Name, ...]:
    return tuple(Name(*entry.split(":")) for entry in table.split())


def _same(table: str) -> tuple[Name, ...]:
    return tuple(Name(word, word.lower()) for word in table.split())


def chinese_family_names() -> tuple[Name, ...]:
    """Return Chinese family names, the most frequent first."""
    return _pairs(
        "王:wang 李:li 张:zhang 刘:liu 陈:chen 杨:yang 黄:huang 赵:zhao 吴:wu 周:zhou 徐:xu 孙:sun "
        "马:ma 朱:zhu 胡:hu 郭:guo 何:he 林:lin 高:gao 罗:luo 郑:zheng 梁:liang 谢:xie 宋:song "
        "唐:tang 许:xu 韩:han 冯:feng 邓:deng 曹:cao 彭:peng 曾:zeng 沈:shen 陆:lu 顾:gu "
        "欧阳:ouyang 上官:shangguan"
    )


def chinese_given_names(gender: str) -> tuple[Name, ...]:
    """Return Chinese given names usual for `gender` (`female` or `male`)."""
    if gender == "female":
        return _pairs(
            "秀英:xiuying 桂兰:guilan 丽华:lihua 玉珍:yuzhen 淑芬:shufen 美玲:meiling 晓燕:xiaoyan "
            "婷婷:tingting 雪:xue 敏:min 静:jing 丽:li 芳:fang 娟:juan 艳:yan 倩:qian 雨欣:yuxin "
            "欣怡:xinyi 诗涵:shihan 梦琪:mengqi 子涵:zihan 佳慧:jiahui 思雨:siyu 雅婷:yating "
            "海燕:haiyan 春梅:chunmei 红霞:hongxia 玉兰:yulan 慧敏:huimin 晓彤:xiaotong 若兮:ruoxi "
            "语桐:yutong 心怡:xinyi 月华:yuehua 凤英:fengying 素珍:suzhen"
        )
    return _pairs(
        "伟:wei 强:qiang 磊:lei 军:jun 勇:yong 杰:jie 涛:tao 明:ming 超:chao 辉:hui 建国:jianguo "
        "建华:jianhua 志强:zhiqiang 国栋:guodong 海涛:haitao 文博:wenbo 浩然:haoran 子轩:zixuan "
        "宇航:yuhang 俊杰:junjie 天翔:tianxiang 博文:bowen 嘉豪:jiahao 家明:jiaming 德华:dehua "
        "永福:yongfu 卫东:weidong 晓峰:xiaofeng 立新:lixin 振宇:zhenyu 泽宇:zeyu 一鸣:yiming "
        "思远:siyuan 承志:chengzhi 少华:shaohua 长青:changqing"
    )


def english_family_names() -> tuple[Name, ...]:
    """Return English family names."""
    return _same(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Clarke Walker Wright Thompson "
        "Green Hall Wood Harris Lewis Martin Jackson Cooper Turner Hill Ward Morris Moore Baker "
        "King Bennett Foster Reed Murphy Bailey Bell Carter Parker Collins"
    )


def english_given_names(gender: str) -> tuple[Name, ...]:
    """Return English given names usual for `gender` (`female` or `male`)."""
    if gender == "female":
        return _same(
            "Emma Olivia Sophie Charlotte Emily Grace Lucy Hannah Alice Sarah Laura Rachel Megan "
            "Rebecca Katherine Helen Julia Margaret Susan Karen Nicole Amber Claire Diana"
        )
    return _same(
        "James William Oliver George Thomas Henry Jack Daniel Samuel Edward Michael David Robert "
        "Andrew Peter Simon Matthew Benjamin Adam Richard Kevin Brian Stephen Martin"
    )
