"""Chinese translations of what commands print, by the English text.

Messages about the content of files are in :mod:`muge_fast.datasets.problems`, those of other errors of the library in
:mod:`muge_fast.cli.chinese_errors`. A text without a translation is printed in English; a test finds help texts that
lack one.
"""

from muge_fast.cli.chinese_models import HELP_OF_RUN

MESSAGES = {
    # Words around errors
    "Error: ": "错误：",
    "Warning: ": "警告：",
    "Interrupted": "已中断",
    "Usage: ": "用法：",
    "Try '{command}' for help.": "运行 “{command}” 查看帮助。",
    # Wrong usage
    "no option {name}": "没有选项 {name}",
    "no option {name}, did you mean {near}?": "没有选项 {name}，您是否想用 {near}？",
    "no command {name}, did you mean {near}?": "没有命令 {name}，您是否想用 {near}？",
    "no command {name}, choose from {choices}": "没有命令 {name}，可用的命令：{choices}",
    "unknown {kind} {value}, did you mean {near}?": "未知的{kind} {value}，您是否想用 {near}？",
    "unknown {kind} {value}, choose from {choices}": "未知的{kind} {value}，可选：{choices}",
    "must be an integer of at least {least}, got {value}": "应为不小于 {least} 的整数，实际为 {value}",
    "must be a number of at least 0, such as 7.5, got {value}": "应为不小于 0 的数，例如 7.5，实际为 {value}",
    "must be a number between 0 and 1, such as 0.95, got {value}": "应为 0 与 1 之间的数，例如 0.95，实际为 {value}",
    "task": "任务",
    "tokenizer": "分词方式",
    "protocol": "预处理协议",
    "precision": "精度",
    "language": "语言",
    "test": "检验方法",
    "system": "系统",
    "alternative": "备择假设",
    "correction": "校正方法",
    "{name} is missing": "缺少 {name}",
    "{name} takes no value": "{name} 不带值",
    "unexpected argument {names}": "多余的参数 {names}",
    "{first} and {second} are the same file {path}": "{first} 与 {second} 是同一文件 {path}",
    "{name} needs a value": "{name} 需要一个值",
    "{name} is given {count} times, it takes one value": "{name} 出现了 {count} 次，只能有一个值",
    "{option} is an option of {others}, not of {this}": "{option} 是 {others} 的选项，{this} 没有该选项",
    "{this} has no option {option}": "{this} 没有选项 {option}",
    " and ": " 和 ",
    "{option} needs {other} too": "{option} 必须与 {other} 一起使用",
    "{option} and {other} exclude each other": "{option} 与 {other} 不能同时使用",
    "standard input can be read only once, not for {names}": "标准输入只能读取一次，不能同时用于 {names}",
    "a comparison needs at least two submissions, got {count}": "比较至少需要两个提交文件，实际为 {count} 个",
    "two submissions have the name {name}; give one of them another, as NAME=FILE": (
        "有两个提交文件的名称同为 {name}；请用 名称=文件 的形式为其中一个另取名称"
    ),
    "the name in {value} is empty, expected NAME=FILE": "{value} 中的名称为空，应为 名称=文件",
    # Runs of models
    "a folder without {file}, expected a submission or the folder of a run": (
        "该目录没有 {file}，应为提交文件或一次运行的目录"
    ),
    "a run of the task {found}, not of {task}": "该运行属于任务 {found}，而不是 {task}",
    "the run is not complete; muge-fast run with the same options continues it": (
        "该运行尚未完成；用相同的选项再次执行 muge-fast run 即可继续"
    ),
    "a run of a split without a gold file": "该运行所用的数据划分没有标准答案文件",
    "the run was made with another gold file than {gold}: the one named {name}, by SHA-256 {hash}": (
        "该运行所用的标准答案文件不是 {gold}，而是名为 {name} 的文件，SHA-256 为 {hash}"
    ),
    "{file} names no submission in this folder": "{file} 没有给出该目录中的提交文件",
    "{file} lacks the name of the model or the missing items": "{file} 缺少模型名称或缺失条目",
    "a run of the split {found}, and {other} is one of {split}": (
        "该运行使用数据划分 {found}，而 {other} 使用 {split}"
    ),
    # Files
    "{name} {path} is the file of {other}, which would be replaced": "{name} {path} 是 {other} 的文件，会被覆盖",
    "the name is empty, expected the name of a file": "名称为空，应为文件名",
    "--fields {fields} has no names for --direction {direction}, use chinese-clip": (
        "--fields {fields} 没有用于 --direction {direction} 的名称，请用 chinese-clip"
    ),
    "--top-k is {k}, but the file of {option} has only {count} items": (
        "--top-k 为 {k}，但 {option} 的文件只有 {count} 个条目"
    ),
    "--top-k is {k}, submissions to the benchmark need exactly {count} items": (
        "--top-k 为 {k}，基准的提交文件应恰好有 {count} 个条目"
    ),
    "ids of {options} are strings, submissions to the benchmark need integers": (
        "{options} 的 ID 是字符串，基准的提交文件应为整数"
    ),
    "the evaluation was interrupted": "评测被中断",
    "standard input is closed": "标准输入已关闭",
    "no such file": "文件不存在",
    "a folder, expected a file": "是目录，应为文件",
    "neither a file nor a pipe": "既不是文件也不是管道",
    "no permission to read it": "没有读取权限",
    "expected the name of a file": "应为文件名",
    "the folder {path} does not exist": "目录 {path} 不存在",
    "{path} is a folder, expected a file": "{path} 是目录，应为文件",
    "the folder {path} is not writable": "目录 {path} 不可写",
    "unknown format {suffix}, use .csv or .parquet": "未知格式 {suffix}，请用 .csv 或 .parquet",
    "wrote {path}": "已写入 {path}",
    "{path}: has {kind}, but {first} has {other}": "{path}：类型为 {kind}，而 {first} 为 {other}",
    "{path}: id {id} is in {other} too": "{path}：ID {id} 也在 {other} 中",
    "none of the {images} of --images has an id of the submission or the gold file": (
        "--images 的 {images}的 ID 均不在提交文件或标准答案中"
    ),
    # Units
    "row": "行",
    "item": "个条目",
    "{items} without a result, see run.json": "{items}没有结果，见 run.json",
    "image": "张图像",
    "query": "个查询",
    "problem": "个问题",
    "field": "字段格式",
    "direction": "方向",
    "metric": "度量",
    "ms": "毫秒",
    "s": "秒",
    "min": "分",
    # Results
    "valid": "有效",
    "invalid": "无效",
    "submission": "提交文件",
    "gold": "标准答案",
    "Signatures": "签名",
    "x{factor}, ": "×{factor}，",
    "higher is better": "越高越好",
    "lower is better": "越低越好",
    "{rows} in {time}": "{rows}，用时 {time}",
    "{name} is invalid: {problems}": "{name} 无效：{problems}",
    "the submissions of {first} and {second} are identical": "{first} 与 {second} 的提交文件内容相同",
    # Descriptions of files
    " to ": " 至 ",
    "{low} to {high}, mean {mean}": "{low} 至 {high}，平均 {mean}",
    # Submissions to a site
    "accepted: submission {number}": "已受理：第 {number} 次提交",
    "accepted before: submission {number}": "此文件已提交过：第 {number} 次提交",
    "{state}, {count} before it": "{state}，前面还有 {count} 个",
    "queued": "排队中",
    "running": "评测中",
    "scored": "已评分",
    "faulted": "评测出现故障",
    "cancelled": "已取消",
    "scored: {score}": "得分：{score}",
    "there is no verdict: ask the organizers": "没有评测结果：请联系组织者",
    "the same command continues the run": "再次运行同一命令可继续",
    "the submission stays accepted": "该提交仍然有效",
    # The demo
    "ECommerce-IC sample: {items} items, {captions} captions, scores times 100, best marked *": (
        "ECommerce-IC 样例：{items} 个条目，{captions} 条描述，得分 ×100，最高分标 *"
    ),
    "Tokenized and scored in {time}.": "分词和评分用时 {time}。",
    "Retrieval with synthetic features: {queries} queries, {items} items, scores times 100, best marked *": (
        "使用合成特征的图文检索：{queries} 个查询，{items} 个条目，得分 ×100，最高分标 *"
    ),
    "Feature files written, searched and scored in {time}.": "写入特征文件、检索和评分用时 {time}。",
    "Sample submissions, main score of each task times 100": "样例提交，各任务的主要得分 ×100",
    "Report for a browser: {path}": "网页报告：{path}",
    "Comparison of the sample submissions: which differences do the items support?": (
        "样例提交的比较：哪些差异有数据支持？"
    ),
    "Evaluated, resampled and tested in {time}.": "评测、重抽样和检验用时 {time}。",
    "Comparison for a browser: {path}": "网页比较：{path}",
    "Errors of a copy with three broken lines:": "一份有三行错误的副本的错误：",
    "Scoring synthetic images …": "正在评估合成图像……",
    "t2i: skipped, torch and Pillow are not installed: pip install 'muge-fast[t2i]'": (
        "t2i：已跳过，未安装 torch 和 Pillow：pip install 'muge-fast[t2i]'"
    ),
    "t2i: {images} real and {images} generated synthetic images in {time}: {values}.": (
        "t2i：真实和生成的合成图像各 {images} 张，用时 {time}：{values}。"
    ),
    " The weights are random, so the scores are meaningless.": "权重是随机的，得分没有意义。",
}

# Kinds of files, and what is counted in them, as :func:`muge_fast.evaluation.describe` names them.
DESCRIPTIONS = {
    "folder": "目录",
    "unknown": "未知",
    "unknown JSON lines": "未知的 JSON Lines 文件",
    "gold or submission": "标准答案或提交文件",
    "images": "图像",
    "texts": "文本",
    "features": "特征",
    "gzip": "gzip 压缩文件",
    "zip": "zip 压缩文件",
    "bytes": "字节数",
    "rows": "行数",
    "ids": "ID",
    "references": "参考答案数",
    "items": "条目数",
    "length": "文本长度",
    "bytes of text": "文本字节数",
    "base64 bytes": "base64 字节数",
    "distinct items": "不同的条目",
    "dimensions": "维数",
    "problems": "问题数",
    "documents": "文档数",
    "ngrams": "n-gram 数",
    "arrays": "数组数",
    "document frequency": "文档频率",
    "statistics of images": "图像统计量",
    "state of FID": "FID 的累积状态",
    "state of KID": "KID 的累积状态",
    "state of InceptionScore": "Inception Score 的累积状态",
    "npz": "npz 文件",
    "json array": "JSON 数组",
    "json mapping": "JSON 对象",
    "pretty json": "跨多行的 JSON",
    "python rows": "Python 字典",
    "coco": "COCO 格式的 JSON",
    "csv": "CSV 文件",
    "trec": "TREC 文件",
    "utf16": "UTF-16 文本",
    "pickle": "pickle 文件",
}

# Descriptions of commands and options, and what stands around them.
HELP = {
    **HELP_OF_RUN,
    # Headings
    "Options": "选项",
    "Commands": "命令",
    "Example:": "示例：",
    "Files": "文件",
    "Output": "输出",
    "Other options": "其他选项",
    "Options of captions": "图像描述的选项",
    "Options of retrieval": "图文检索的选项",
    "Options of text-to-image": "文本生成图像的选项",
    "Options of text-to-image and vqa": "文本生成图像和视觉问答的选项",
    "Comparison": "比较",
    # What the help adds to an option
    "[required]": "[必需]",
    "[default: {value}]": "[默认：{value}]",
    "MUGE_FAST_LANG, or en": "环境变量 MUGE_FAST_LANG，否则 en",
    "a GPU if available": "有 GPU 则用 GPU",
    "all cores": "全部核心",
    "all of the task": "该任务的全部度量",
    "those of the text features": "与文本特征一致",
    "10; ofa 1": "10；ofa 为 1",
    "Site": "网站",
    "Submission": "提交",
    # Descriptions of commands, by paragraph
    "Score the tasks of MUGE, the Chinese multimodal benchmark.": "为中文多模态评测基准 MUGE 的各项任务评分。",
    "Check a submission, and score it if it is valid.": "检查提交文件，有效则评分。",
    "TASK is caption, retrieval, t2i, classification, vqa or vcr.": (
        "TASK 为 caption（图像描述）、retrieval（图文检索）、t2i（文本生成图像）、classification（分类）、"
        "vqa（视觉问答）或 vcr（视觉常识推理）。"
    ),
    "Exit code 0: scored. 1: the submission is invalid, and its errors are printed. 2: wrong usage, a file cannot be "
    "read, or scoring failed.": "退出码 0：已评分。1：提交文件无效，并列出错误。2：用法错误、文件无法读取或评分失败。",
    "Check a submission without scoring it.": "只检查提交文件，不评分。",
    "Exit code 0: the submission is valid. 1: it is invalid, and its errors are printed. 2: wrong usage, a file cannot "
    "be read, or checking failed.": (
        "退出码 0：提交文件有效。1：无效，并列出错误。2：用法错误、文件无法读取或检查失败。"
    ),
    "Compare systems, and say which differences the items support and which ranks are possible.": (
        "比较各系统，说明哪些差异有数据支持，可能的名次有哪些。"
    ),
    "TASK is caption, retrieval, t2i, classification, vqa or vcr. SUBMISSION is a file or NAME=FILE, at least two of "
    "them; other systems are named after their files. It may also be a folder of muge-fast run, which is named after "
    "its model; the run must be complete, and made with the same gold file.": (
        "TASK 为 caption（图像描述）、retrieval（图文检索）、t2i（文本生成图像）、classification（分类）、"
        "vqa（视觉问答）或 vcr（视觉常识推理）。"
        "SUBMISSION 为文件或 名称=文件，至少两个；未给出名称的系统以文件名命名。"
        "也可以是 muge-fast run 的目录，以其模型命名；该运行须已完成，且使用同一标准答案文件。"
    ),
    "Exit code 0: compared. 1: a submission is invalid, and the errors of all are printed. 2: wrong usage, a file "
    "cannot be read, or comparing failed.": (
        "退出码 0：已比较。1：有提交文件无效，并列出所有无效文件的错误。2：用法错误、文件无法读取或比较失败。"
    ),
    "Score with the arguments of the official evaluator.": "以官方评测程序的参数评分。",
    "Find the most similar images for each text, or texts for each image, and write a file of predictions.": (
        "为每条文本找出最相似的图像，或为每张图像找出最相似的文本，并写入预测文件。"
    ),
    'Feature files are JSON lines {"image_id": 42967, "feature": [0.0123, …]}, as Chinese-CLIP writes them, or .npz, '
    ".npy, .parquet, .arrow, .feather. The ids of texts are named text_id or query_id.": (
        '特征文件为 Chinese-CLIP 所写的 JSON Lines：{"image_id": 42967, "feature": [0.0123, …]}，或 .npz、.npy、'
        ".parquet、.arrow、.feather。文本的 ID 名为 text_id 或 query_id。"
    ),
    'A line of the output is {"query_id": 8426, "item_ids": [42967, …]} (muge), or {"text_id": 8426, "image_ids": '
    "[42967, …]} (chinese-clip) if the ids of the texts are named text_id. For --direction image-to-text it is "
    '{"image_id": 42967, "text_ids": [8426, …]}.': (
        '输出的一行为 {"query_id": 8426, "item_ids": [42967, …]}（muge）；若文本的 ID 名为 text_id，则为 '
        '{"text_id": 8426, "image_ids": [42967, …]}（chinese-clip）。使用 --direction image-to-text 时为 '
        '{"image_id": 42967, "text_ids": [8426, …]}。'
    ),
    "OUTPUT gets the official result object in every case. For retrieval, success and score are those of MUGE's public "
    "script; what score and check refuse in a file that it accepts is a warning. Exit code 0: scored. 1: the "
    "submission is invalid. 2: it could not be evaluated, or OUTPUT cannot be written.": (
        "任何情况下都会把官方结果对象写入 OUTPUT。"
        "图文检索的 success 和 score 与 MUGE 公开脚本一致；"
        "脚本接受而 score 和 check 拒绝之处作为警告列出。"
        "退出码 0：已评分。1：提交文件无效。2：无法评测或无法写入 OUTPUT。"
    ),
    "Send a submission to the site of a challenge.": "向挑战赛网站提交文件。",
    "TASK is the name of a task of the site. The file is checked first, and is not sent if it has errors. A command "
    "that broke off can be repeated: the same file is sent once.": (
        "TASK 为网站上的任务名称。发送前会先检查文件，有错误则不发送。命令中断后可以重复执行：同一文件只会提交一次。"
    ),
    "Exit code 0: accepted, or with --wait scored. 1: the file is invalid, and its errors are printed. 2: wrong usage, "
    "the site refuses the file or cannot be reached, or the evaluation has no verdict.": (
        "退出码 0：已受理；使用 --wait 时为已评分。1：文件无效，并列出错误。"
        "2：用法错误、网站拒绝或无法连接，或没有评测结果。"
    ),
    "Address of the site.": "网站地址。",
    "File with the token of your account.": "包含账号令牌的文件。",
    "Send the token to another machine without encryption.": "允许不加密地把令牌发送到其他主机。",
    "Name or description of the method.": "方法名称或说明。",
    "Address of a paper or code, repeatable.": "论文或代码的地址，可重复。",
    "Send the file without checking it first.": "发送前不检查文件。",
    "Wait for the verdict, and print it.": "等待并打印评测结果。",
    "Recognize files of MUGE, or all files of a folder, and count and check their rows.": (
        "识别 MUGE 的文件或目录中的全部文件，统计并检查各行。"
    ),
    "Exit code 0: no file has problems. 1: a file has problems, which are printed. 2: wrong usage, or a file cannot be "
    "read; the others are described.": (
        "退出码 0：文件均无问题。1：有文件存在问题，并列出。2：用法错误或有文件无法读取，其余文件仍会列出。"
    ),
    "Score the sample data of the package and compare its systems, and write a report for a browser.": (
        "为软件包自带的样例数据评分并比较其中的系统，写入网页报告。"
    ),
    "The comparison is written next to the report, with -comparison.html at the end of its name.": (
        "比较写在报告旁边，文件名以 -comparison.html 结尾。"
    ),
    "Run a challenge: a site with a board for each task, on which teams are ranked by their submissions.": (
        "举办挑战赛：每个任务有一个排行榜的网站，按提交为队伍排名。"
    ),
    # Options
    "Gold file, or - for standard input.": "标准答案文件，或用 - 表示标准输入。",
    "Gold file, to find missing and unknown ids.": "标准答案文件，用于找出缺少的和未知的 ID。",
    "Submission file, in the same format, or - for standard input.": "提交文件，格式相同，或用 - 表示标准输入。",
    "Image TSV or list of ids of the allowed items.": "图像 TSV 或候选条目的 ID 列表。",
    "Document frequencies for CIDEr, of count or DocumentFrequency.save.": (
        "CIDEr 所用的文档频率文件，由 count 或 DocumentFrequency.save 写出。"
    ),
    "of the gold file": "标准答案文件的文档频率",
    "t2i tf1; vqa vqa-v2": "t2i 为 tf1；vqa 为 vqa-v2",
    "Write the scores as a state, for merge.": "将得分写为状态文件，供 merge 合并。",
    "Count in how many items of a gold file each n-gram occurs, for CIDEr of shards.": (
        "统计每个 n 元组出现在标准答案文件的多少个条目中，用于分片计算 CIDEr。"
    ),
    "Gold file of captions, or a shard of one.": "图像描述的标准答案文件，或其分片。",
    "State to write, for merge or --document-frequency.": "要写入的状态文件，用于 merge 或 --document-frequency。",
    "Merge states of shards: scores of score --state, document frequencies of count, or states of a program.": (
        "合并各分片的状态：score --state 的得分、count 的文档频率，或程序写出的状态。"
    ),
    "The result is that of all items at once, to the last bit, in any order of the shards but for the order of "
    "items.": ("结果与一次处理全部条目逐位相同；除条目的顺序外，与分片的顺序无关。"),
    "Write the merged state.": "写入合并后的状态。",
    "File with the weights of FID's Inception network, or 'download'.": (
        "FID 所用 Inception 网络的权重文件，或 download。"
    ),
    "Device of the networks, such as cpu or cuda:1.": "运行网络的设备，如 cpu 或 cuda:1。",
    "Images per batch.": "每批图像数。",
    "Splits of the Inception Score.": "Inception Score 的分组数。",
    "TSV of ids and texts, for R-precision.": "ID 和文本的 TSV，用于 R-precision。",
    "CLIP or Chinese-CLIP model for --texts, a folder or a cached model's name.": (
        "用于 --texts 的 CLIP 或 Chinese-CLIP 模型，目录或已缓存模型的名称。"
    ),
    "Feature file of the generated images, instead of --texts.": "生成图像的特征文件，代替 --texts。",
    "Feature file of the texts, likewise.": "文本的特征文件，用法相同。",
    "Random texts per image in R-precision.": "R-precision 中每张图像的随机文本数。",
    "Write a report for a browser.": "写入网页报告。",
    "Image TSV, folder or zip: shows the images in the --html report.": (
        "图像 TSV、目录或 zip：在 --html 报告中显示图像。"
    ),
    "Date to show in the --html report.": "在 --html 报告中显示的日期。",
    "Date to show in the report.": "在报告中显示的日期。",
    "Show the time taken in the --html report, which differs each time.": "在 --html 报告中显示用时（每次不同）。",
    "Further metric to compute: cider or meteor; may be repeated.": "另外计算的度量：cider 或 meteor，可重复给出。",
    "Metric to compare; may be repeated.": "要比较的度量，可重复给出。",
    "Compare the others with this system only.": "只将其他系统与此系统比较。",
    "Confidence level.": "置信水平。",
    "TSV of ids and keys: items with the same key, such as those of a user, are kept together.": (
        "ID 和组名的 TSV：组名相同的条目（如同一用户的条目）一同重抽样。"
    ),
    "Number of resamples.": "重抽样次数。",
    "Seed of the resamples.": "重抽样的随机种子。",
    "Write the tables in Markdown.": "将表格写成 Markdown。",
    "Write the scores as a Markdown table.": "将得分写成 Markdown 表格。",
    "Write the scores of each item: .csv or .parquet.": "写入各条目的得分：.csv 或 .parquet。",
    "Write the official result object as JSON.": "将官方结果对象写成 JSON。",
    "Print JSON instead of text.": "输出 JSON 而不是文本。",
    "Number of threads.": "线程数。",
    "Language of everything that is printed.": "全部输出的语言。",
    "Show the traceback of an error.": "出错时显示调用栈。",
    "Show the version and exit.": "显示版本并退出。",
    "Show this message and exit.": "显示本帮助并退出。",
    "Feature file of the images.": "图像的特征文件。",
    "Feature file of the texts.": "文本的特征文件。",
    "Number of results per query.": "每个查询的结果数。",
    "File, or - for stdout.": "文件，或用 - 表示标准输出。",
    "Search images for each text, or texts for each image.": "为每条文本检索图像，或为每张图像检索文本。",
    "Inner product or cosine.": "内积或余弦相似度。",
    "Names of the fields of the output.": "输出的字段名。",
    "Has no effect; accepted for existing scripts.": "不起作用，仅为兼容已有脚本。",
    "Report for a browser.": "网页报告。",
}

CHINESE = {**MESSAGES, **DESCRIPTIONS, **HELP}
