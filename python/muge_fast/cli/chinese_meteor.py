"""Chinese translations of errors and warnings of METEOR, see :mod:`muge_fast.cli.chinese_errors`."""

METEOR = {
    "METEOR of texts with Latin letters or digits, such as {text}": (
        "对含拉丁字母或数字的文本（例如 {text}）计算 METEOR，"
    ),
    "{path} is damaged ({problem}): pip install --force-reinstall --no-deps {package}": (
        "{path} 已损坏（{problem}），请运行 pip install --force-reinstall --no-deps {package}"
    ),
    "the tables of METEOR cannot be kept in {folder} ({problem}), so every process makes them again, which takes long: "
    "set the environment variable {variable} to a folder that can be written to": (
        "METEOR 的数据表无法保存到 {folder}（{problem}），因此每个进程都要重新生成，耗时较长："
        "请将环境变量 {variable} 设为可写的目录"
    ),
    "{name} has {count} words, METEOR takes at most {limit}": "{name} 有 {count} 个词，METEOR 最多处理 {limit} 个",
    "{name} repeats the words of its reference too often, shorten one of them": (
        "{name} 与参考答案中重复的词过多，请缩短其中之一"
    ),
    "{name} repeats the words of its reference more than {count} times, shorten one of them": (
        "{name} 与参考答案中重复的词超过 {count} 次，请缩短其中之一"
    ),
}
