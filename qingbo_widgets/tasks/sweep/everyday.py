"""The characters of everyday text in three scripts, to tell text from other bytes that happen to be valid.

Not a dictionary: of a real prompt, most characters are among these; of bytes that are read in a wrong
encoding, about one in five.
"""

from __future__ import annotations

__all__ = ["CHINESE", "HANGUL", "KANJI", "evidence"]

#: Simplified Chinese: the commonest characters, and those that describe what a video shows.
CHINESE = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方"
    "后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开"
    "它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此"
    "变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老"
    "头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门"
    "即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花"
    "带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段"
    "研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近千周委素技备半办青省列习响约支般史感劳便"
    "团往历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适"
    "属圆包火住调满县局照参红细引听该铁价严猫狗鱼鸟雨雪云夜星河湖春秋冬夏树叶草木森竹桥船城街楼房窗灯镜画静飞跑"
    "跳游泳奔舞笑孩女男童衣服穿戴帽伞茶咖啡杯桌椅厨饭食龙虎狮熊兔羊牛鸡梦幻古未视频远俯拍摄推摇慢缓柔暖冷银紫蓝"
    "绿黄黑灰彩粉落阳朝霞沙漠浪滩岛峰谷瀑溪池塘锦鲤荷莲樱梅兰蝴蝶雾雷虹岸湾港塔庙宫墙巷店巴机器站坐睡醒吃喝喂抱"
    "握吹扫洗唱弹琴鼓球车轮骑驶穿梭旋转升降闪烁发亮暗映射波纹倒影清澈晨黄昏午傍晚宇宙航太空飘浮漂蒸汽烟雨滴玻璃"
    "丝绸绒毛纸折写实油彩水墨卡通漫风格特写全景近景中景俯拍航拍跟随推进拉远环绕美丽可爱温馨宁静神秘壮观繁华热闹"
    "绽侠敦煌斗母麒麟琉瓦顶屋随筝鸢帐篷枫橘咪哈欠霓赛博朋胶录庭奶爷饺汉唐宋仙剑凤凰鹤孔雀蒲英礁石鲸鲨龟蟹虾珊瑚"
    "贝壳沉帆骆驼鹿狼狐狸鼠蜂萤虫昆脉露珠冰川企鹅系陨舱芯堡士魔巫师灵怪兽恐念戏曲脸谱书店铺早餐面包炒菜火锅烤肉"
)
#: Traditional Chinese, and the characters that only Japanese writes so.
KANJI = CHINESE | frozenset(
    "這為個國時來們於對會發動學說產種後過經進著電裡現實兩體機當點從業應開還義間樣與關線內數質氣變條沒結問無軍情"
    "並題黨總設長頭資邊級圖統組見計別論運農幾區強決幹戰則據處隊給門規熱領東導壓爭濟階術極聯認權證轉單風帶場車務"
    "萬達積議聲報類離華確張馬節話況傳許廣記連斷難備辦習響約勞團歷構稱準號維劃選標寫親層專狀廠識適屬圓調滿縣參細"
    "聽該鐵價嚴貓魚鳥雲樹葉橋樓燈鏡畫靜飛遊兒龍獅雞夢視頻遠攝搖緩銀藍綠黃陽島塢塘錦鯉蓮櫻蘭霧彎廟牆彈車輪騎駛旋"
    "閃爍發亮紋滴絲綢紙寫實彩墨環繞麗愛溫馨寧靜神秘壯觀繁熱鬧雪夜空池海山川花鳥風月光影春夏秋冬朝夕街駅町村田畑"
    "桜気円図国学売読語話駅動物園犬猫鯉泳歩走飛踊歌描撮影写真映画静寂古都京東西南北大阪桥龍虎鶴亀松竹梅桃雨雷雲霧"
)
#: Korean: the commonest syllables.
HANGUL = frozenset(
    "가각간갈감갑강갖같개객갤거건걸검겁게겨격견결경계고곡곤골곰곱곳공과관광괴교구국군굴굽궁권귀규그극근글금급기긴길김깊까"
    "꺼껴꽃꾸꿈끄끝끼나난날남낮내너넓네녀년노녹논놀놓높누눈뉴느는늘능니다단달담답당대더덕던덩데도독돈돌동되된될두둘둥뒤드"
    "든들등디따딸땅때또떠떤뛰뜨라락란람랑래략량러런럼레려력련렬령례로록론료루류륙률르른름릉리린릴림립마막만많말맑망맞매맥"
    "머먹먼멀멋메면멸명몇모목몬몸못무묵문물뭐미민밀밑바박밖반받발밝밤방밭배백뱀버번벌범법벚베벤벨벽변별병보복본볼봄봉부북"
    "분불붉붙브블비빈빛빠빨뿌사산살삼상새색생서석선설섬성세셀소속손솔송쇠수숙순술숨숲쉬슈스슬습승시식신실심십싱싶싸쌍써쓰"
    "씨씬아악안않알암압앞앙애액야약얀양얗어억언얼엄업없었에엔여역연열염였영옆예오옥온올옷와완왔왕외요용우운울움웃워원월위"
    "유육윤율으은을음응의이익인일읽임입있잎자작잔잘잠잡장재저적전절점접정제져조족존졸종좋좌주죽준줄중즈즉즐증지직진질집짓"
    "짜째쪽차착찬찰참창찾채책처천철첫청체초촌총촬최추축춘출춤충취층치친칠침카칸칼캐커컨컵케켜코콘쿠퀴크큰클키타탁탄탈탑탕"
    "태택터턴테텍텐토통투트특틀티파팎판팔팝패팬퍼페펴편펼평포폭표푸풀품풍프플피필하학한할함합항해핵햇행향허헌험혁현형혜호"
    "혼홀홍화확환활황회획효후훈휘휴흐흑흔흘흙흥희흰히힘잉갈매송이폴짝뭇닭쥐엉덩콩떡빵밥국숭늪뭉게늑"
)
#: The logarithm of how much likelier an everyday character, and another one, is in text than among others.
_COMMON, _UNCOMMON = 1.3, -1.1


def evidence(text: str, everyday: frozenset[str]) -> float:
    """Return how much likelier it is that the letters are text than that they read so by chance.

    Args:
        text: the text; its ASCII letters do not count.
        everyday: the everyday characters of its script.
    """
    letters = [character for character in text if character.isalpha() and not character.isascii()]
    return sum(_COMMON if letter in everyday else _UNCOMMON for letter in letters)
