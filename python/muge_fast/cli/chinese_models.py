"""Chinese translations of the command ``run`` and of errors of models, see :mod:`muge_fast.cli.chinese_errors`."""

HELP_OF_RUN = {
    "Run a model through a task: from a data set to a submission, its scores and a report.": (
        "让模型完成一项任务：由数据集得到提交文件、得分和报告。"
    ),
    "TASK is retrieval, caption, t2i or vqa. Of the data set, retrieval needs MR_valid_imgs.tsv and "
    "MR_valid_queries.jsonl; caption IC_valid.tsv; t2i T2I_valid.text.tsv; vqa VQA_valid.tsv and VQA_valid.jsonl. "
    "Scores also need IC_valid.jsonl and T2I_valid.img.tsv.": (
        "TASK 为 retrieval（图文检索）、caption（图像描述）、t2i（文本生成图像）或 vqa（视觉问答）。"
        "数据集中，retrieval 需要 MR_valid_imgs.tsv 和 MR_valid_queries.jsonl，caption 需要 IC_valid.tsv，"
        "t2i 需要 T2I_valid.text.tsv，vqa 需要 VQA_valid.tsv 和 VQA_valid.jsonl。"
        "评分还需要 IC_valid.jsonl 和 T2I_valid.img.tsv。"
    ),
    "Exit code 0: the submission is valid. 1: it is invalid, because items have no result, and its errors are printed. "
    "2: wrong usage, a file cannot be read, or the model failed; the same command continues the run.": (
        "退出码 0：提交文件有效。1：有条目没有结果，提交文件无效，并列出错误。"
        "2：用法错误、文件无法读取或模型出错；再次运行同一命令可继续。"
    ),
    "Model": "模型",
    "Models that write text": "生成文本的模型",
    "Models that generate images": "生成图像的模型",
    "Folder of a model of transformers or diffusers, or the name of one in their cache.": (
        "transformers 或 diffusers 模型的目录，或其缓存中模型的名称。"
    ),
    "Folder of the data set, with files as the benchmark names them.": "数据集目录，文件名与基准一致。",
    "Split in the names of these files, valid if it is not given.": "这些文件名中的数据划分，未给出时为 valid。",
    "Folder of the run; the same command continues a run that was interrupted.": (
        "运行结果的目录；再次运行同一命令可继续被中断的运行。"
    ),
    "Items per batch.": "每批条目数。",
    "by task": "因任务而异",
    "Device of the model, such as cpu or cuda:1.": "运行模型的设备，如 cpu 或 cuda:1。",
    "Download the model if it is not on this machine.": "若本机没有该模型，则下载。",
    "Run Python code that the model's folder contains: it can do whatever you can do on this machine.": (
        "运行模型目录中的 Python 代码：它拥有您在本机的全部权限。"
    ),
    "What the model is asked; {question} stands for the question.": "向模型提出的要求；{question} 代表问题。",
    "Chinese, by task": "中文，因任务而异",
    "Most tokens of a text.": "文本的最大词元数。",
    "Beams of the search for a text.": "生成文本的束宽。",
    "Denoising steps.": "去噪步数。",
    "Guidance scale.": "引导强度。",
    "of the model": "模型的默认值",
    "Height and width in pixels.": "图像的高和宽（像素）。",
    "Seed of the images.": "图像的随机种子。",
    "CLIP or Chinese-CLIP model for R-precision, a folder or a cached model's name.": (
        "用于 R-precision 的 CLIP 或 Chinese-CLIP 模型，目录或已缓存模型的名称。"
    ),
}

MODELS = {
    # The data set
    "{option} is {split}, needs a part of the names of files such as 'valid'": (
        "{option} 为 {split}，应为文件名的一部分，例如 'valid'"
    ),
    "no such folder": "目录不存在",
    "no file of {role} for the split {split}, needs {names}": "没有划分 {split} 的 {role} 文件，需要 {names}",
    "there are {first} and {second}: pass the folder of one of them": (
        "同时存在 {first} 和 {second}：请给出其中之一所在的目录"
    ),
    "{value} is not a row, needs an object with {names}": "{value} 不是数据行，应为含有 {names} 的对象",
    "there is no id, needs an object with {names}": "没有 ID，应为含有 {names} 的对象",
    "{names} is {value}, needs a text": "{names} 为 {value}，应为文本",
    "image_id is {value}, needs the id of its image": "image_id 为 {value}，应为图像的 ID",
    "id {id} occurs a second time": "ID {id} 重复出现",
    "there are {count} images, a submission needs {needed} for each query": (
        "只有 {count} 张图像，提交文件中每个查询需要 {needed} 张"
    ),
    "only {count} images are not broken, a submission needs {needed}": (
        "只有 {count} 张图像没有损坏，提交文件需要 {needed} 张"
    ),
    "id {id} is not an integer of 64 bits, which retrieval needs": "ID {id} 不是 64 位整数，图文检索的 ID 应为整数",
    "id {id} has no items, and others have: add them, or remove all": (
        "ID {id} 没有条目，而其他 ID 有：请补充，或全部去除"
    ),
    "there is no {unit} in {files}": "{files} 中没有 {unit}",
    "{path} is a file; pass its folder, and unpack it if it is an archive": (
        "{path} 是文件；请给出其所在目录，压缩包须先解压"
    ),
    "two images have the name {name}": "有两张图像名为 {name}",
    "there is no image with the id {id}": "没有 ID 为 {id} 的图像",
    # The model
    "no model at {name}, nor in the cache of transformers (--download downloads it): {reason}": (
        "{name} 没有模型，transformers 的缓存中也没有（--download 可下载）：{reason}"
    ),
    "no pipeline at {name}, nor in the cache of Hugging Face (--download downloads it): {reason}": (
        "{name} 没有模型，Hugging Face 的缓存中也没有（--download 可下载）：{reason}"
    ),
    "no model at {name}: {reason}": "{name} 没有模型：{reason}",
    "too little memory for item {item} alone: {reason}": "内存不足，无法单独处理条目 {item}：{reason}",
    "the features of {id} are not finite": "{id} 的特征不是有限数",
    "a data type with a larger range may help, such as fp32": "可尝试范围更大的数据类型，例如 fp32",
    "the features of {id} are all zero, so their cosine is not defined": "{id} 的特征全为零，余弦相似度没有定义",
    # The folder of the run
    "{path} is not a folder": "{path} 不是目录",
    "{path} was removed or emptied after the run: pass a new folder": "{path} 在运行之后被删除或清空：请给出新目录",
    "too little memory to prepare item {item} alone: {reason}": "内存不足，无法单独准备条目 {item}：{reason}",
    "another process runs there": "另一个进程正在使用该目录",
    "the folder has {name}, and no run: pass a new folder": "目录中有 {name}，但没有运行记录：请给出新目录",
    "{path} has another run: {difference}": "{path} 中是另一次运行：{difference}",
    "{name} is {now}, and it was {before}": "{name} 为 {now}，而原来为 {before}",
    "pass a new folder, or the same options to continue it": "请给出新目录，或使用相同的选项以继续",
    "not the manifest of a run: {reason}": "不是运行的清单：{reason}",
}
