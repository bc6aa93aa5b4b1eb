//! The vocabulary: everything a rule can ask about, in one table.

/// Something a rule can ask about: a position in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(usize);

/// What a subject's value counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Money in major units.
    Money,
    /// Days.
    Days,
    /// Months.
    Months,
    /// A share; 30% = 0.3.
    Share,
    /// Points, 0 to 100.
    Score,
    /// An index; 100 is usual.
    Index,
    /// How many.
    Count,
    /// A ratio that may be above 1.
    Ratio,
    /// A date; the value is its day number.
    Date,
    /// A number in a unit of its own.
    Number,
    /// A text.
    Text,
}

impl Subject {
    /// The subject of that key, such as `market_heat`; `None` for any other text.
    pub fn find(key: &str) -> Option<Self> {
        subjects().find(|subject| subject.key() == key)
    }

    /// Its position in the vocabulary, from 0.
    pub fn index(self) -> usize {
        self.0
    }

    /// Its English name, such as `market_heat`.
    pub fn key(self) -> &'static str {
        SUBJECTS[self.0].0
    }

    /// Its Chinese name.
    pub fn chinese(self) -> &'static str {
        let names = SUBJECTS[self.0].1;
        names.split_once('|').map_or(names, |(first, _)| first)
    }

    /// All its Chinese names; the first is [`Subject::chinese`].
    pub fn chinese_names(self) -> impl Iterator<Item = &'static str> {
        SUBJECTS[self.0].1.split('|')
    }

    /// All its names, the key first.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.key()).chain(self.chinese_names())
    }

    /// What its value counts in.
    pub fn kind(self) -> Kind {
        SUBJECTS[self.0].2
    }

    /// What it is, in a line of English with its unit.
    pub fn meaning(self) -> &'static str {
        SUBJECTS[self.0].3
    }
}

/// The vocabulary, in its order.
pub fn subjects() -> impl Iterator<Item = Subject> {
    (0..SUBJECTS.len()).map(Subject)
}

/// Key, Chinese names with `|` between them, kind, meaning.
type Row = (&'static str, &'static str, Kind, &'static str);

use Kind::{Count, Date, Days, Index, Money, Months, Number, Ratio, Score, Share, Text};

const SUBJECTS: &[Row] = &[
    // The factors, as measured.
    ("market_heat", "市场热度|市场热度指数", Index, "heat of the rep's market; 100 is usual"),
    ("regional_growth", "区域增长率", Number, "growth last observed in the region, in its source's unit"),
    ("price_volatility", "价格波动", Number, "price volatility last observed, in its source's unit"),
    ("competitor_promotion", "竞品促销|竞品促销强度", Number, "competitors' promotion, in its source's unit"),
    ("season", "季节指数", Ratio, "season index of the period; 1 is an average period"),
    ("lifecycle_mix", "活跃客户占比|客户生命周期结构", Share, "new, growing and mature customers, of all"),
    (
        "repurchase_interval",
        "复购间隔|客户复购间隔|复购周期",
        Days,
        "days between orders: mean over the customers of their medians",
    ),
    ("average_order_value", "客单价|平均订单额", Money, "amount over number of orders"),
    ("mean_customer_health", "客户健康度|平均客户健康度", Number, "mean health of the customers, in points"),
    ("touch_density", "触达密度|客户触达密度", Share, "customers touched often enough, of all"),
    ("weighted_pipeline", "加权商机|加权商机金额", Money, "open deals times their chance of being won"),
    ("mean_lead_score", "线索评分|平均线索评分", Score, "mean score of the leads, in points"),
    ("opportunity_velocity", "商机推进速度", Ratio, "moves of deals forward, per deal open in 30 days"),
    ("lead_inflow", "线索流入|新线索数", Count, "leads that came in within 30 days"),
    ("capability", "能力评分|能力画像", Score, "mean of the rep's skills, in points"),
    ("tenure_ramp", "爬坡系数", Ratio, "how far a new rep has ramped up; 1 is fully"),
    ("workload", "工作负荷", Count, "open deals and open leads"),
    ("attainment_bias", "达成偏差", Number, "decayed mean log of actual over quota in past periods"),
    // Process health.
    ("process_health", "过程健康指数|过程健康度", Score, "weighted mean of the process scores, in points"),
    ("response_timeliness", "线索响应时效", Share, "leads answered in time, of those due"),
    ("discovery_depth", "需求挖掘深度", Ratio, "discoveries of needs, per opportunity"),
    ("solution_match", "方案匹配精度", Share, "solutions accepted, of those offered"),
    ("visit_frequency", "拜访频次", Ratio, "visits and meetings, per working day"),
    ("interaction_depth", "客户互动深度", Share, "effective touches times customers touched, as a share"),
    // The customers of the rep.
    ("customers", "客户数", Count, "customers the rep owns"),
    ("share_new", "新客户占比", Share, "new customers, of those owned"),
    ("share_growing", "成长客户占比", Share, "growing customers, of those owned"),
    ("share_mature", "成熟客户占比", Share, "mature customers, of those owned"),
    ("share_at_risk", "流失风险客户占比", Share, "customers at risk, of those owned"),
    ("share_lost", "流失客户占比", Share, "lost customers, of those owned"),
    ("share_prospect", "潜在客户占比", Share, "prospects, of the customers owned"),
    ("share_red", "红色客户占比", Share, "customers of red health, of those owned"),
    ("share_amber", "黄色客户占比", Share, "customers of amber health, of those owned"),
    ("share_green", "绿色客户占比", Share, "customers of green health, of those owned"),
    // The quota.
    ("attained", "已达成|已签金额", Money, "signed in this period so far"),
    ("expected", "预期达成", Money, "expected by the end of the period"),
    ("proposal", "建议目标", Money, "the quota before any rule"),
    ("previous_quota", "上次目标|昨日目标", Money, "the quota last published"),
    ("attainment", "达成率", Share, "signed over the quota last published; may exceed 100%"),
    // The rep.
    ("rep_id", "代表|销售代表", Text, "id of the rep"),
    ("region_id", "区域|大区", Text, "id of the rep's region, or of any region above it"),
    ("manager_id", "经理|主管", Text, "id of the rep's manager"),
    ("status", "状态", Text, "status of the rep, in small letters"),
    ("tenure_months", "司龄|入职月数", Months, "months since the rep was hired"),
    ("hired_on", "入职日期", Date, "the day the rep was hired"),
    // The calendar.
    ("today", "日期|今天", Date, "the day for which quotas are computed"),
    ("month", "月份", Number, "month of that day, 1 to 12"),
    ("weekday", "星期", Number, "weekday of that day, 1 = Monday to 7 = Sunday"),
    ("day_of_period", "周期第几天", Days, "days of the period so far, that day included"),
    ("days_left", "剩余天数", Days, "days of the period after that day"),
    ("period_elapsed", "周期进度", Share, "days of the period so far, of all its days"),
];
